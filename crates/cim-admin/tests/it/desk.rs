//! An operator's desk: a CA, sealed secrets, an expired CA, and files that are wrong in some way.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result};
use cim_admin::pki::{Authority, CommonName, Key, Validity};
use cim_admin::sops::{Folder, Identities, Plain, Tree};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::server::{days, now};

pub struct Desk {
    dir: TempDir,
}

/// Everything below a folder: modes and bytes.
pub type Disk = BTreeMap<PathBuf, (u32, Vec<u8>)>;

impl Desk {
    pub fn new() -> Result<Self> {
        let desk = Self {
            dir: tempfile::tempdir()?,
        };
        desk.put("empty", b"")?;
        desk.keys()?;
        desk.ca("ca", now())?;
        desk.ca("old", now() - days(90))?;
        desk.ca("other", now())?;
        desk.ca("future", now() + days(30))?;
        desk.requests()?;
        desk.bad()?;
        Ok(desk)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(fs::write(path, bytes)?)
    }

    pub fn read(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path(name))?)
    }

    /// Runs the program at the desk, with the operator's keys.
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-admin"));
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("SOPS_AGE_KEY_FILE", "keys.txt")
            .args(args);
        command.output().context("running cim-admin")
    }

    /// Runs the program, which succeeds; gives what it prints.
    pub fn does(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args)?;
        let said = String::from_utf8(output.stderr)?;
        anyhow::ensure!(
            output.status.success() && said.is_empty(),
            "{args:?}: {said}"
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    pub fn disk(&self) -> Result<Disk> {
        let mut disk = Disk::new();
        walk(self.dir.path(), &mut disk)?;
        Ok(disk)
    }

    fn keys(&self) -> Result<()> {
        let (ours, theirs) = (Identities::generate(), Identities::generate());
        self.put("keys.txt", ours.text().as_bytes())?;
        self.put("theirs.txt", theirs.text().as_bytes())?;
        let (desk, host) = (&ours.recipients()[0], &theirs.recipients()[0]);
        let rules = format!(
            "creation_rules:\n- path_regex: ^(hub|plant)-[0-9]+\\.(yaml|json)$\n  age: {desk},{host}\n\
             - path_regex: \\.key$\n  age: [{desk}]\n- path_regex: ^theirs\\.yaml$\n  age: {host}\n"
        );
        self.put("secrets/.sops.yaml", rules.as_bytes())?;
        let secret = ours.text();
        for (name, age) in [
            ("nobody", "''"),
            ("ssh", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"),
            ("cut", "age1cut"),
            ("private", secret.trim()),
        ] {
            let rules = format!("creation_rules:\n- age: {age}\n");
            self.put(&format!("rules/{name}/.sops.yaml"), rules.as_bytes())?;
        }
        let partial = format!("creation_rules:\n- age: {desk}\n  encrypted_regex: ^seed$\n");
        self.put("rules/partial/.sops.yaml", partial.as_bytes())?;
        self.put("rules/empty/.sops.yaml", b"")?;
        self.put("ruleless/.sops.yaml", b"creation_rules: []\n")?;
        let folder = Folder::open(&self.path("secrets"))?;
        let entry = ("tls-key".to_owned(), Tree::text("an old one"));
        let plain = Plain::Tree(Tree::Map(vec![entry]));
        for name in ["hub-1.yaml", "theirs.yaml"] {
            let sealed = folder.seal(name, &plain, now())?;
            self.put(&format!("secrets/{name}"), sealed.as_bytes())?;
        }
        let half = self.read("secrets/hub-1.yaml")?;
        // In the middle of a text.
        let cut = half.find("\"enc\"").context("a data key")? + 100;
        self.put("secrets/hub-2.yaml", &half.as_bytes()[..cut])?;
        let changed = half.replacen("data:", "data:AAAA", 1);
        self.put("secrets/hub-3.yaml", changed.as_bytes())?;
        self.put("secrets/hub-4.yaml", b"tls-key: readable\n")
    }

    /// A CA whose root lasts ten years and whose issuing CA lasts 60 days.
    fn ca(&self, name: &str, at: OffsetDateTime) -> Result<()> {
        let (root, made) = Authority::root(
            &CommonName::authority("Test root")?,
            Validity::starting(at, days(3650))?,
        )?;
        let name_of = CommonName::authority("Test issuing")?;
        let issuer = root.intermediate(&name_of, Validity::starting(at, days(60))?)?;
        self.put(&format!("{name}/root.pem"), made.certificate.as_bytes())?;
        self.put(&format!("{name}/issuer.pem"), issuer.certificate.as_bytes())?;
        let key = Key::read(issuer.key.as_ref().context("a key")?.as_bytes())?;
        let authority = Authority::read(issuer.certificate.as_bytes(), &key, at)?;
        let addresses = ["hub-1.example.com".parse()?];
        let valid = Validity::starting(at, days(30))?;
        let server = authority.server(&CommonName::new("hub-1")?, &addresses, valid)?;
        self.put(&format!("{name}/hub-1.pem"), server.certificate.as_bytes())?;
        let key = issuer.key.context("a key")?;
        self.put(&format!("{name}.key"), key.as_bytes())
    }

    fn requests(&self) -> Result<()> {
        let key = KeyPair::generate()?;
        let request = CertificateParams::default()
            .serialize_request(&key)?
            .pem()?;
        self.put("device.csr", request.as_bytes())?;
        self.put("device.key", key.serialize_pem().as_bytes())?;
        self.put("bad/cut.csr", &request.as_bytes()[..request.len() / 2])?;
        let mut changed = request.into_bytes();
        // A letter of the signature, which is at the end.
        let at = changed.len() - 60;
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        self.put("bad/changed.csr", &changed)?;
        for (name, algorithm) in [
            ("ed25519", &PKCS_ED25519),
            ("p384", &PKCS_ECDSA_P384_SHA384),
        ] {
            let key = KeyPair::generate_for(algorithm)?;
            let request = CertificateParams::default()
                .serialize_request(&key)?
                .pem()?;
            self.put(&format!("bad/{name}.csr"), request.as_bytes())?;
            self.put(&format!("bad/{name}.key"), key.serialize_pem().as_bytes())?;
        }
        Ok(())
    }

    fn bad(&self) -> Result<()> {
        let key = self.read("ca.key")?;
        self.put("bad/cut.key", &key.as_bytes()[..key.len() / 2])?;
        let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        self.put("bad/locked.key", locked.as_bytes())?;
        let issuer = self.read("ca/issuer.pem")?;
        self.put(
            "bad/cut-ca/issuer.pem",
            &issuer.as_bytes()[..issuer.len() / 2],
        )?;
        self.put("bad/mixed-ca/issuer.pem", issuer.as_bytes())?;
        self.put(
            "bad/mixed-ca/root.pem",
            self.read("other/root.pem")?.as_bytes(),
        )?;
        self.put("bad/no-age.txt", b"# created: today\n")?;
        self.put("bad/number.yaml", b"port: 4222\n")?;
        self.put("bad/line.yaml", b"\"a\\nb\": x\n")?;
        self.put("bad/merge.json", b"{\"<<\": \"x\"}")?;
        self.put("bad/bool.yaml", b"a: true\n")?;
        self.put("bad/tag.yaml", b"a: !secret x\n")?;
        self.put("bad/two.yaml", b"a: x\n---\nb: y\n")?;
        self.put("bad/list.yaml", b"- x\n")?;
        self.put("bad/twice.yaml", b"a: x\na: y\n")?;
        self.put("bad/broken.yaml", b"password: \"s3cret-and-open\nb: [\n")?;
        self.put("bad/readable.yaml", b"url_unencrypted: x\n")?;
        self.put("bad/bytes", &[0xff, 0xfe, 0x00])?;
        self.put("bad/host.pub", b"ssh-rsa AAAAB3NzaC1yc2E= host\n")?;
        self.put(
            "plain.yaml",
            b"seed: SUsomething\ncreds: |\n  two\n  lines\n",
        )
    }
}

pub fn walk(folder: &Path, disk: &mut Disk) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = fs::symlink_metadata(&path)?;
        let (mode, is_folder) = (found.permissions().mode(), found.is_dir());
        let bytes = if is_folder {
            Vec::new()
        } else if found.is_symlink() {
            fs::read_link(&path)?.into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path)?
        };
        disk.insert(path.clone(), (mode, bytes));
        if is_folder {
            walk(&path, disk)?;
        }
    }
    Ok(())
}
