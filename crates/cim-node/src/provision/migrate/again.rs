//! What else gets the messages of a migrated stream a second time: streams that have it as a source.
//!
//! nats-server knows the origin of a source by the moment at which it was made, and copies another one from its beginning.

use anyhow::Result;

use super::Order;
use super::told::{Size, Told};
use crate::provision::api::Api;
use crate::provision::asset::Asset;
use crate::provision::copies;
use crate::provision::plan::Step;
use crate::provision::words;

/// Who copies the stream once more.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// Assets of this JetStream that have it as a source.
    pub here: Vec<String>,
    /// Leaves or hubs that may copy it over a leaf link.
    pub there: Vec<String>,
}

/// Looks for them: here on the server, elsewhere in what is declared.
///
/// # Errors
/// A server that does not answer.
pub async fn look(api: &Api, order: &Order<'_>, name: &str) -> Result<Again> {
    let copies = copies::of(api, name, order.at_once).await?;
    let sourcing = copies.iter().filter(|copy| !copy.is_mirror);
    let here = sourcing.map(|copy| Asset::of_stream(&copy.stream).to_string());
    let crosses = &order.declared.provision.crosses;
    let there = crosses.get(&order.asset.to_string());
    Ok(Again {
        here: here.collect(),
        there: there.cloned().unwrap_or_default(),
    })
}

impl Again {
    /// Nobody does.
    pub fn is_none(&self) -> bool {
        self.here.is_empty() && self.there.is_empty()
    }

    /// Who, in words; empty: nobody.
    pub fn words(&self) -> String {
        let here = self.here.join(", ");
        let there = format!("whatever has it as a source on {}", self.there.join(", "));
        match (self.here.is_empty(), self.there.is_empty()) {
            (true, true) => String::new(),
            (false, true) => here,
            (true, false) => there,
            (false, false) => format!("{here}, and {there}"),
        }
    }

    /// Not begun, for nobody said that they may.
    pub fn refused(&self, step: &Step, size: &Size) -> Told {
        Told::refused(
            format!(
                "{}: its {} messages would come a second time to {}: nats-server takes the new stream for another one",
                words::asset_place(step),
                size.messages,
                self.words()
            ),
            "take those sources away first, migrate, and put each back with opt_start_seq one after the last message that it had (the second word of its header Nats-Stream-Source), until it has copied another; or, if readers can take it, say --copied-again",
        )
    }
}
