//! `refusals/<case>/`: a folder `identity/` with this mistake earns this message.

use std::path::Path;
use std::{env, fs};

use cim_identity::{check, check_hub};
use cim_spec::Problems;
use cim_testkit::cases;

use crate::cases::Change;
use crate::fleet::fleet;

fn message(case: &Path) -> String {
    let change = Change::read(case);
    let (declared, committed) = change.apply();
    let mut problems = Problems::new();
    match committed {
        Err(error) => return error,
        Ok(_) if change.hub => {
            let most = change.max_payload.unwrap_or(1 << 20);
            check_hub(&fleet(&declared), most, &mut problems);
        }
        Ok(committed) => {
            let wishes = change.wishes(&declared);
            check(&fleet(&declared), &wishes, &committed, &mut problems);
        }
    }
    problems.to_string()
}

#[test]
fn mistakes_earn_their_messages() {
    let mut complaints = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    for case in cases(&folder).unwrap() {
        let found = format!("{}\n", message(&case));
        if found.trim().is_empty() {
            complaints.push(format!("{}: nothing is refused", case.display()));
        }
        let file = case.join("message.txt");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &found).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if expected != found {
            complaints.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}
