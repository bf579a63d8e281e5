//! Hosts' certificates: each is of a member of the fleet, comes from its CA, and is what others ask of it. When they end
//! is [`crate::expiring`]'s.

use cim_spec::spec::Fleet;
use time::OffsetDateTime;

use super::fleet_at;
use super::say::Say;
use crate::committed::Committed;
use crate::members::{Member, members};
use crate::pki::{self, Address, Certificate, Expected};
use crate::plan::Wish;

/// Holds the certificates against the fleet and against what its hosts need.
pub(super) fn check(fleet: &Fleet, wishes: &[Wish], committed: &Committed, say: &mut Say<'_>) {
    let members = members(fleet);
    let roots = roots(committed, say);
    for (unit, text) in &committed.certificates {
        let file = format!("certificates/{unit}.pem");
        let Some(member) = members.get(unit) else {
            say.stranger(&file, &fleet_at().join("hubs"));
            continue;
        };
        let wish = wishes.iter().find(|wish| wish.place == file);
        match Certificate::read_all(text.as_bytes()) {
            Ok(chain) => held(member, wish, &file, &chain, &roots, say),
            Err(error) => {
                let what = format!("{file} cannot be read: {error:#}");
                say.unreadable(&member.at, what, wish.is_some());
            }
        }
    }
    for wish in wishes {
        let unit = wish.place.strip_prefix("certificates/");
        let unit = unit.and_then(|file| file.strip_suffix(".pem"));
        let unit = unit.unwrap_or(&wish.place);
        if !committed.certificates.contains_key(unit) {
            let at = members.get(unit).map(|member| member.at.clone());
            let at = at.unwrap_or_else(|| fleet_at().join("identity"));
            say.of_folder(&at, format!("{} is not there", wish.place));
        }
    }
}

/// What every certificate must come from; empty: it cannot be told, which was said.
fn roots(committed: &Committed, say: &mut Say<'_>) -> Vec<Certificate> {
    let at = fleet_at().join("identity");
    let Some(text) = &committed.ca else {
        if !committed.certificates.is_empty() {
            say.no_authority(
                &at,
                "there is no ca.pem, from which every certificate must come",
            );
        }
        return Vec::new();
    };
    let roots = match Certificate::read_all(text.as_bytes()) {
        Ok(roots) => roots,
        Err(error) => {
            say.no_authority(&at, format!("ca.pem cannot be read: {error:#}"));
            return Vec::new();
        }
    };
    for root in roots.iter().filter(|root| !root.is_ca()) {
        say.no_authority(&at, format!("ca.pem holds {root:?}, which is no CA's"));
    }
    roots
}

/// Holds one chain; `wish`: what its host needs of it, `None`: it was made elsewhere.
fn held(
    member: &Member<'_>,
    wish: Option<&Wish>,
    file: &str,
    chain: &[Certificate],
    roots: &[Certificate],
    say: &mut Say<'_>,
) {
    let Some(own) = chain.first() else { return };
    let dialled: Option<Address> = member.address.and_then(|address| address.parse().ok());
    if let Some(address) = member.address
        && !dialled.as_ref().is_some_and(|it| own.holds_for(it))
    {
        let names = own.names().join(", ");
        let what = format!("is {address:?}, for which {file} does not hold: it names {names}");
        say.of_certificate(&member.at.join("address"), what, wish.is_some());
    }
    if roots.is_empty() {
        return;
    }
    let more: Vec<Address> = wish.map_or_else(Vec::new, |wish| {
        let more = wish.addresses.iter();
        more.filter(|address| Some(*address) != dialled.as_ref())
            .cloned()
            .collect()
    });
    let expected = Expected {
        now: all_made(own, chain, roots),
        roots,
        usage: wish.map_or(member.usage, |wish| wish.usage),
        common_name: wish.map_or(member.common_name, |wish| Some(wish.name.as_str())),
        addresses: &more,
        public: None,
    };
    for problem in pki::check(chain, &expected) {
        say.of_certificate(&member.at, format!("{file}: {problem}"), wish.is_some());
    }
}

/// The first moment at which all of it had been made, of those at which the certificate is valid.
fn all_made(own: &Certificate, chain: &[Certificate], roots: &[Certificate]) -> OffsetDateTime {
    let all = chain.iter().chain(roots).map(Certificate::not_before);
    let last = all.max().unwrap_or_else(|| own.not_before());
    last.clamp(own.not_before(), own.not_after().max(own.not_before()))
}
