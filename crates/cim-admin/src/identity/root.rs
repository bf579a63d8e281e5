//! Another root of trust: first trusted beside the old one, then what everything comes from, then alone.

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;

use super::authority::{ROOT, ROOT_KEY};
use super::plan::Plan;
use super::public::Public;
use super::vault::{OPERATOR, Vault};
use crate::pki::{self, Authority, Certificate, CommonName, Expected, Validity};

/// Puts a new root before the old one: peers trust both, and `rotate ca` issues below the first.
pub fn start(vault: &mut Vault, public: &mut Public, now: OffsetDateTime) -> Result<()> {
    let roots = trusted(public)?;
    let [old] = roots.as_slice() else {
        anyhow::bail!(
            "{} has {} roots, so a rotation is under way: end it with --finish first",
            public.shown(ROOT),
            roots.len()
        );
    };
    let name = old.common_name().context("the root has no common name")?;
    let name = CommonName::authority(name)?;
    let (_, made) = Authority::root(&name, Validity::starting(now, pki::ROOT)?)?;
    let key = made.key.clone().context("a key was made")?;
    vault.set(OPERATOR, ROOT_KEY, &key)?;
    public.set(ROOT, [made.certificate, old.pem()].concat());
    Ok(())
}

/// Leaves the new root alone, once every certificate comes from it.
pub fn finish(plan: &Plan, public: &mut Public, now: OffsetDateTime) -> Result<()> {
    let roots = trusted(public)?;
    ensure!(
        roots.len() > 1,
        "no such rotation is under way: begin it without --finish"
    );
    let roots = roots.get(..1).unwrap_or_default();
    for wish in plan.certificates()? {
        let text = public.text(&wish.place).unwrap_or_default();
        let chain = Certificate::read_all(text.as_bytes());
        let chain = chain.with_context(|| format!("reading {}", public.shown(&wish.place)))?;
        let expected = Expected {
            now,
            roots,
            usage: wish.usage,
            common_name: Some(wish.name.as_str()),
            addresses: &wish.addresses,
            public: None,
        };
        let problems = pki::check(&chain, &expected);
        ensure!(
            problems.is_empty(),
            "{} does not come from the new root alone ({}): run `cim-admin rotate ca` and deploy every host before",
            public.shown(&wish.place),
            problems.join("; ")
        );
    }
    let alone = roots.iter().map(Certificate::pem).collect();
    public.set(ROOT, alone);
    Ok(())
}

fn trusted(public: &Public) -> Result<Vec<Certificate>> {
    let text = public
        .text(ROOT)
        .context("there is no CA yet: run `cim-admin identity make`")?;
    Certificate::read_all(text.as_bytes())
        .with_context(|| format!("reading {}", public.shown(ROOT)))
}
