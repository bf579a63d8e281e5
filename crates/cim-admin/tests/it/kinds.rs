//! Each kind of certificate has the rights of its kind, and keys of every form are read.

use cim_admin::pki::{
    Authority, Certificate, CommonName, Expected, Key, Made, Usage, Validity, check,
};
use x509_parser::pem::Pem;
use x509_parser::prelude::{ASN1Time, X509Certificate};

use crate::server::{Ca, days, loopback, name, now};
use crate::tools::run;

fn parsed<T>(pem: &str, look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
    let pem = Pem::iter_from_buffer(pem.as_bytes())
        .next()
        .unwrap()
        .unwrap();
    look(&pem.parse_x509().unwrap())
}

fn issuer() -> (Made, Made) {
    let valid = |lifetime| Validity::starting(now(), lifetime).unwrap();
    let called = |text| CommonName::authority(text).unwrap();
    let (root, made) = Authority::root(&called("A root"), valid(days(9))).unwrap();
    let issuer = root
        .intermediate(&called("A issuing"), valid(days(8)))
        .unwrap();
    (made, issuer)
}

#[test]
fn cas_sign_one_step_less_each_and_serve_nobody() {
    let (root, issuer) = issuer();
    for (made, below) in [(&root, 1), (&issuer, 0)] {
        parsed(&made.certificate, |found| {
            let constraints = found.basic_constraints().unwrap().unwrap();
            assert!(constraints.critical && constraints.value.ca);
            assert_eq!(constraints.value.path_len_constraint, Some(below));
            let usage = found.key_usage().unwrap().unwrap().value;
            assert!(usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
            assert!(found.extended_key_usage().unwrap().is_none());
        });
    }
    // An issuing CA's own file has no root in it; the root's is the root.
    assert_eq!(
        Certificate::read_all(issuer.certificate.as_bytes())
            .unwrap()
            .len(),
        1
    );
    assert!(Certificate::read_all(root.certificate.as_bytes()).unwrap()[0].is_root());
}

#[test]
fn servers_serve_and_dial_and_clients_only_dial() {
    let ca = Ca::new(now());
    for (made, serves) in [(ca.server("hub-1"), true), (ca.client("leaf-1"), false)] {
        parsed(&made.certificate, |found| {
            let purposes = found.extended_key_usage().unwrap().unwrap().value;
            assert!(purposes.client_auth && !purposes.any && !purposes.code_signing);
            assert_eq!(purposes.server_auth, serves);
            let usage = found.key_usage().unwrap().unwrap().value;
            assert!(usage.digital_signature() && !usage.key_cert_sign());
            assert!(!found.basic_constraints().unwrap().unwrap().value.ca);
            assert!(found.validity().not_before < ASN1Time::now());
        });
        let chain = Certificate::read_all(made.certificate.as_bytes()).unwrap();
        assert_eq!(chain.len(), 2, "its own and its issuer's");
        assert!(!chain[0].is_ca() && chain[1].is_ca() && !chain[1].is_root());
        let names: &[&str] = if serves {
            &["127.0.0.1", "localhost"]
        } else {
            &[]
        };
        assert_eq!(chain[0].names(), names);
    }
}

#[test]
fn a_certificate_made_again_has_another_serial() {
    let ca = Ca::new(now());
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let request = request.pem().unwrap();
    let serial = || {
        let request = cim_admin::pki::Request::read(request.as_bytes()).unwrap();
        let validity = Validity::starting(now(), days(1)).unwrap();
        let made = ca.authority.sign(&request, &name("a"), validity).unwrap();
        parsed(&made.certificate, |found| found.raw_serial().to_vec())
    };
    let (first, second) = (serial(), serial());
    assert_eq!(first.len(), 16);
    assert_ne!(first, second);
}

#[test]
fn what_an_expired_or_unknown_ca_vouches_for_is_named() {
    let ca = Ca::new(now());
    let later = now() + days(365);
    let made = ca.server("hub-1");
    let chain = Certificate::read_all(made.certificate.as_bytes()).unwrap();
    let roots = Certificate::read_all(ca.root.certificate.as_bytes()).unwrap();
    let addresses = loopback();
    let said = |now, roots| {
        let common_name = None;
        let usage = Usage::Server;
        check(
            &chain,
            &Expected {
                now,
                roots,
                usage,
                common_name,
                addresses: &addresses,
                public: None,
            },
        )
    };
    assert_eq!(said(now(), &roots), Vec::<String>::new());
    let late = said(later, &roots);
    assert!(late[0].starts_with("it expired on"), "{late:?}");
    assert_eq!(
        late[1],
        "no CA to hold it against is valid now: renew the CA"
    );
    assert_eq!(said(now(), &[]).len(), 1);
    let other = Ca::new(now() - days(1));
    let others = Certificate::read_all(other.root.certificate.as_bytes()).unwrap();
    assert_eq!(said(now(), &others).len(), 1);
}

#[test]
fn keys_of_every_form_are_read_and_only_p256_signs() {
    let dir = tempfile::tempdir().unwrap();
    let (_, issuer) = issuer();
    let forms = [
        ("rsa", "2048", "PEM", "not P-256"),
        ("rsa", "2048", "PKCS8", "not P-256"),
        ("ecdsa", "256", "PEM", "in OpenSSL's old form"),
        ("ecdsa", "384", "PKCS8", "not P-256"),
        ("ecdsa", "256", "PKCS8", "the key is not that of the CA"),
    ];
    for (index, (kind, bits, form, part)) in forms.into_iter().enumerate() {
        let file = format!("key-{index}");
        let make = [
            "-q", "-t", kind, "-b", bits, "-m", form, "-N", "", "-f", &file,
        ];
        run("ssh-keygen", dir.path(), &make).unwrap();
        let key = Key::read(&std::fs::read(dir.path().join(&file)).unwrap()).unwrap();
        let error = Authority::read(issuer.certificate.as_bytes(), &key, now()).unwrap_err();
        assert!(
            format!("{error:#}").contains(part),
            "{kind} {form}: {error:#}"
        );
    }
}
