//! `expiry/<case>/`: so many days after the issue, this ends.

use std::path::Path;
use std::{env, fs};

use cim_identity::expiring;
use cim_testkit::cases;

use crate::cases::Change;
use crate::fleet::{ISSUED, fleet};

const DAY: i64 = 86_400;

#[test]
fn what_ends_is_named_with_its_host_and_what_renews_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expiry");
    for case in cases(&folder).unwrap() {
        let change = Change::read(&case);
        let (declared, committed) = change.apply();
        let at = ISSUED + DAY * change.days.unwrap();
        let wishes = change.wishes(&declared);
        let committed = committed.unwrap();
        let found = match expiring(&fleet(&declared), &wishes, &committed, at, 14 * DAY) {
            Err(unread) => unread.join("\n"),
            Ok(found) => {
                let lines = found.iter().map(|one| {
                    let host = one.host.as_deref().unwrap_or("no host");
                    let days = (one.ends - ISSUED) / DAY;
                    format!(
                        "{} ({}) of {host} ends after {days} d: {}",
                        one.what,
                        one.file,
                        one.renew.unwrap_or("nothing of ours")
                    )
                });
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        let file = case.join("message.txt");
        let found = format!("{found}\n");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap_or_default(),
            found,
            "{}",
            case.display()
        );
    }
}
