//! All stories, in their order.

use anyhow::Result;

use crate::support::Scene;
use crate::{
    declared, deploy, faults, flows, order, partitions, repaired, sandbox, stop, switch, watched,
};

/// A story and its name.
pub type Story = (&'static str, fn(&Scene) -> Result<()>);

/// Stories that are told one after the other, for they break the same hosts.
pub type Strand = Vec<Story>;

/// Strands that are told at the same time: none breaks what another looks at. Most of a story is waiting.
pub type Act = Vec<Strand>;

const WHOLE: &[&[Story]] = &[
    &[("a message crosses the fleet", flows::crosses)],
    &[("servers stay in their sandbox", sandbox::holds)],
    &[("secrets are for their owner", sandbox::secrets)],
];

/// One strand for each host, and one for the hub; what a leaf sends is looked for on hub-2, which stays up.
const ONE_HOST: &[&[Story]] = &[
    &[
        ("a certificate is renewed by a reload", switch::renewed),
        (
            "a full disk stops what is stored, and nothing else",
            faults::full_disk,
        ),
        ("lame duck lets clients go before the stop", stop::lame_duck),
    ],
    &[
        ("a reloadable change reloads", switch::reloads),
        (
            "a change that the server refuses fails the switch",
            switch::refused,
        ),
        ("a deployment is confirmed and stays", deploy::confirmed),
        ("a deployment that fails is rolled back", deploy::failed),
        (
            "a deployment that leaves a leaf alone is rolled back",
            deploy::unwell,
        ),
        (
            "a deployment that nobody confirms is rolled back",
            deploy::unconfirmed,
        ),
    ],
    &[
        ("streams follow what is declared", declared::follows),
        ("a backup is taken and drilled", declared::backed_up),
        ("a change that needs it restarts", switch::restarts),
        (
            "a reload that should have been a restart fails",
            switch::wrong_table,
        ),
        ("a missing secret is named", switch::missing_secret),
    ],
    &[
        ("a killed server is restarted", faults::killed),
        ("a hung server is reported", watched::hung_server),
        ("a watcher outlives its server", watched::outlives),
    ],
    &[
        ("two instances on one host", order::two_instances),
        ("targets fall and come back", watched::targets),
        ("a hung watcher is restarted", watched::hung_watcher),
    ],
];

const ACTS: &[&[&[Story]]] = &[
    WHOLE,
    ONE_HOST,
    &[&[("a power cut of the hub in use", faults::power_cut)]],
    &[&[(
        "partitions and a frozen hub are noticed",
        partitions::noticed,
    )]],
    &[&[("leaves first, the hub 20 s later", order::leaves_first)]],
    &[&[("all hosts at once, and back", order::reboot)]],
    &[&[(
        "a fleet that is broken in every way is repaired",
        repaired::from_everything,
    )]],
];

/// The acts with only the stories whose names are chosen.
pub fn chosen(wanted: impl Fn(&str) -> bool) -> Vec<Act> {
    let strand = |stories: &&[Story]| -> Strand {
        let stories = stories.iter().filter(|(name, _)| wanted(name));
        stories.copied().collect()
    };
    let act = |strands: &&[&[Story]]| -> Act {
        let strands = strands.iter().map(strand);
        strands.filter(|strand| !strand.is_empty()).collect()
    };
    let acts = ACTS.iter().map(act);
    acts.filter(|act| !act.is_empty()).collect()
}
