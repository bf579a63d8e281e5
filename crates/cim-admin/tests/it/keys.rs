//! Keys of the real age, and hosts' ssh keys as age keys.

use cim_admin::sops::{Format, Identities, Plain, Sealed, Tree, from_json, seal, ssh_recipient};
use time::OffsetDateTime;

use crate::tools::{Real, run};

#[test]
fn keys_of_the_real_age_open_files_and_age_opens_our_data_keys() {
    let real = Real::new().unwrap();
    let dir = real.dir.path();
    run("age-keygen", dir, &["-o", "age.txt"]).unwrap();
    let keys = Identities::read(&dir.join("age.txt")).unwrap();
    let public = run("age-keygen", dir, &["-y", "age.txt"]).unwrap();
    let public = String::from_utf8(public).unwrap();
    assert_eq!(keys.recipients()[0].to_string(), public.trim());
    let plain = Plain::Bytes(b"secret".to_vec().into());
    let both = [real.recipient(), public.parse().unwrap()];
    let sealed = seal(&plain, Format::Binary, &both, OffsetDateTime::now_utc()).unwrap();
    let read = Sealed::read(sealed.as_bytes(), Format::Binary).unwrap();
    assert_eq!(read.open(&keys).unwrap(), plain);
    assert_eq!(read.open(&real.keys).unwrap(), plain);
    let metadata = from_json(sealed.as_bytes()).unwrap();
    let Some(Tree::List(list)) = metadata.get("sops").and_then(|sops| sops.get("age")) else {
        panic!("no recipients")
    };
    let armored = list[1].get("enc").unwrap().as_text().unwrap().to_owned();
    real.put("data.age", armored.as_bytes()).unwrap();
    let key = run("age", dir, &["-d", "-i", "age.txt", "data.age"]).unwrap();
    assert_eq!(key.len(), 32);
    real.put("plain", b"from age").unwrap();
    let public = public.trim();
    run(
        "age",
        dir,
        &["-a", "-r", public, "-o", "strange.age", "plain"],
    )
    .unwrap();
    let strange = std::fs::read_to_string(dir.join("strange.age")).unwrap();
    let error = keys.open(&strange).err().unwrap().to_string();
    assert_eq!(error, "the file's data key has 8 bytes, not 32");
}

#[test]
fn a_host_opens_with_its_ssh_key_what_is_sealed_for_its_public_half() {
    let real = Real::new().unwrap();
    let dir = real.dir.path();
    run(
        "ssh-keygen",
        dir,
        &["-q", "-t", "ed25519", "-N", "", "-C", "host", "-f", "host"],
    )
    .unwrap();
    let public = std::fs::read_to_string(dir.join("host.pub")).unwrap();
    let recipient = ssh_recipient(&public).unwrap();
    let host = Identities::read(&dir.join("host")).unwrap();
    assert_eq!(host.recipients()[0].to_string(), recipient);
    // The converted key is one that the real age knows, and that the real sops opens our file with.
    std::fs::write(dir.join("keys.txt"), host.text().as_bytes()).unwrap();
    let theirs = run("age-keygen", dir, &["-y", "keys.txt"]).unwrap();
    assert_eq!(String::from_utf8(theirs).unwrap().trim(), recipient);
    let plain = Plain::Bytes(b"creds".to_vec().into());
    let recipients = [recipient.parse().unwrap()];
    let sealed = seal(
        &plain,
        Format::Binary,
        &recipients,
        OffsetDateTime::now_utc(),
    )
    .unwrap();
    real.put("a", sealed.as_bytes()).unwrap();
    assert_eq!(real.opened("a", "binary", "binary").unwrap(), b"creds");
    for kind in ["rsa", "ecdsa"] {
        let file = dir.join(kind);
        let name = kind.to_owned();
        run(
            "ssh-keygen",
            dir,
            &["-q", "-t", kind, "-N", "", "-f", &name],
        )
        .unwrap();
        let error = format!("{:#}", Identities::read(&file).unwrap_err());
        assert!(error.contains("no ssh-ed25519 key"), "{error}");
        let public = std::fs::read_to_string(dir.join(format!("{kind}.pub"))).unwrap();
        assert!(ssh_recipient(&public).is_err());
    }
    run(
        "ssh-keygen",
        dir,
        &["-q", "-t", "ed25519", "-N", "hidden", "-f", "locked"],
    )
    .unwrap();
    let error = format!("{:#}", Identities::read(&dir.join("locked")).unwrap_err());
    assert!(error.contains("has a passphrase"), "{error}");
}
