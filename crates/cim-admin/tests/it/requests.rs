//! A device's request gives its public key, and none of its wishes come true.

use cim_admin::pki::{CommonName, Request, Validity};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use x509_parser::prelude::FromDer;

use crate::server::{Ca, now};

const DEVICE: &str = "device-0001.device.synadia.local";

#[test]
fn a_request_gives_its_key_and_nothing_else() {
    let ca = Ca::new(now());
    let key = KeyPair::generate().unwrap();
    let mut wishes = CertificateParams::new(["hub-1.example.com".to_owned()]).unwrap();
    wishes.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    wishes.distinguished_name.push(DnType::CommonName, "root");
    wishes.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0])];
    let request = wishes.serialize_request(&key).unwrap().pem().unwrap();
    let request = Request::read(request.as_bytes()).unwrap();
    let validity = Validity::starting(now(), cim_admin::pki::DEVICE).unwrap();
    let device = CommonName::device("0001", Some("device.synadia.local")).unwrap();
    let made = ca.authority.sign(&request, &device, validity).unwrap();
    assert!(!made.facts.is_ca());
    assert_eq!(made.facts.common_name(), Some(DEVICE));
    assert_eq!(made.facts.names(), Vec::<String>::new());
    assert_eq!(made.facts.not_after(), validity.not_after);
    assert_eq!(
        made.facts.not_after() - made.facts.not_before(),
        time::Duration::minutes(168 * 60 + 5)
    );
    let text = made.certificate.as_bytes();
    let pem = x509_parser::pem::parse_x509_pem(text).unwrap().1;
    let parsed = pem.parse_x509().unwrap();
    let purposes = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(purposes.client_auth && !purposes.server_auth && !purposes.any);
    assert!(!parsed.basic_constraints().unwrap().unwrap().value.ca);
    assert_eq!(parsed.key_usage().unwrap().unwrap().value.flags, 1);
}

#[test]
fn requests_with_other_keys_or_changed_ones_are_refused() {
    for algorithm in [&PKCS_ED25519, &PKCS_ECDSA_P384_SHA384] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let request = CertificateParams::default()
            .serialize_request(&key)
            .unwrap();
        let error = Request::read(request.pem().unwrap().as_bytes())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("not P-256"), "{error}");
    }
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let pem = request.pem().unwrap();
    for cut in 0..pem.rfind("-----END").unwrap() {
        assert!(Request::read(&pem.as_bytes()[..cut]).is_err(), "{cut}");
    }
    let mut der = request.der().to_vec();
    let info = x509_parser::certification_request::X509CertificationRequest::from_der(&der);
    let info = info.unwrap().1.certification_request_info.raw.to_vec();
    let start = der
        .windows(info.len())
        .position(|window| window == info)
        .unwrap();
    // One bit of every byte that is signed.
    for at in start..start + info.len() {
        der[at] ^= 1;
        let changed = data_encoding::BASE64.encode(&der);
        let changed = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{changed}\n-----END CERTIFICATE REQUEST-----\n"
        );
        assert!(Request::read(changed.as_bytes()).is_err(), "{at}");
        der[at] ^= 1;
    }
}
