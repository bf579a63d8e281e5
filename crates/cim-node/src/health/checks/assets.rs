//! The files that declare streams and consumers.

use crate::health::check::{Check, Context, Subjects, one};
use crate::health::finding::{Figure, Unit, Verdict};

pub const CHECKS: &[Check] = &[Check {
    name: "assets",
    of: "",
    looks_at: "the files that `cim-provision` reads, `/etc/cim/<name>/jetstream/<account>/`",
    states: "OK: all of them can be read. UNKNOWN: some cannot, so that nobody knows what should be there.",
    option: "",
    after: &[],
    gates: true,
    is_slow: true,
    meaning: "Streams and consumers are held against what is declared; a declaration that cannot be read is held against nothing.",
    causes: [
        (
            "a file was edited by hand",
            "cim-provision plan {assets}/ACCOUNT",
        ),
        (
            "this program is of another release than the files",
            "cim-health --version; readlink -f {config}",
        ),
        (
            "the files cannot be read by this user",
            "id; namei -l {assets}",
        ),
    ],
    subjects: |context| {
        let assets = &context.look.slow.assets;
        Subjects::instance(!assets.accounts.is_empty() || !assets.mistakes.is_empty())
    },
    judge: |context| one(assets(context)),
}];

fn assets(context: &Context) -> Result<Verdict, Verdict> {
    let assets = &context.look.slow.assets;
    if let Some(first) = assets.mistakes.first() {
        let first = first.lines().next().unwrap_or_default();
        let more = match assets.mistakes.len() - 1 {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        return Err(Verdict::unknown(
            format!("{first}{more}"),
            "deploy the host again, or see all of it: cim-provision plan on the account's folder",
        ));
    }
    let declared = assets.accounts.values().map(|account| account.assets.len());
    let count: usize = declared.sum();
    Ok(Verdict::ok(format!("{count} declared")).figure(Figure::new(
        "declared",
        count as f64,
        Unit::Count,
    )))
}
