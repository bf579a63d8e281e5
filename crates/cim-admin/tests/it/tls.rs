//! What a real nats-server makes of our certificates, and that our check says the same beforehand.

use std::time::Duration;

use anyhow::{Context, Result};
use cim_admin::pki::{
    Address, Certificate, CommonName, Expected, Key, Made, Request, Usage, Validity, check,
};
use futures_util::StreamExt;
use rcgen::{CertificateParams, KeyPair};

use crate::server::{Ca, Running, days, loopback, name, now, put, tls};

const LEAF: &str = "leaf.plant-7.acme.serviceradar";
const DEVICE: &str = "device-0001.device.synadia.local";

/// What our check says of a certificate to peers that trust `ca`.
fn said(ca: &Ca, made: &Made, common_name: &str, usage: Usage) -> Vec<String> {
    let roots = Certificate::read_all(ca.root.certificate.as_bytes()).unwrap();
    let chain = Certificate::read_all(made.certificate.as_bytes()).unwrap();
    let key = made
        .key
        .as_ref()
        .map(|key| Key::read(key.as_bytes()).unwrap());
    let addresses: &[Address] = if usage == Usage::Server {
        &loopback()
    } else {
        &[]
    };
    let expected = Expected {
        now: now(),
        roots: &roots,
        usage,
        common_name: Some(common_name),
        addresses,
        public: key.as_ref().map(Key::public),
    };
    check(&chain, &expected)
}

fn users(names: &[&str]) -> Vec<String> {
    names.iter().map(|one| name(one).user()).collect()
}

fn hub(ca: &Ca, names: &[&str]) -> Result<Running> {
    let users = users(names);
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    Running::start(ca, &ca.server("hub-1"), &users, |_| String::new())
}

#[tokio::test]
async fn a_server_lets_in_leaves_devices_and_signed_requests_by_their_names() {
    let ca = Ca::new(now());
    let hub = hub(&ca, &[LEAF, DEVICE, "device-0002"]).unwrap();
    for called in [LEAF, DEVICE] {
        let made = ca.client(called);
        assert_eq!(
            said(&ca, &made, called, Usage::Client),
            Vec::<String>::new()
        );
        hub.accepts(&made).await.unwrap();
    }
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let request = Request::read(request.pem().unwrap().as_bytes()).unwrap();
    let device = CommonName::device("0002", None).unwrap();
    let validity = Validity::starting(now(), days(7)).unwrap();
    let made = ca.authority.sign(&request, &device, validity).unwrap();
    assert!(made.key.is_none());
    assert_eq!(
        said(&ca, &made, "device-0002", Usage::Client),
        Vec::<String>::new()
    );
    hub.accepts_with(&made, &key.serialize_pem()).await.unwrap();
}

#[tokio::test]
async fn a_server_refuses_a_name_that_no_user_has() {
    let ca = Ca::new(now());
    let hub = hub(&ca, &[LEAF]).unwrap();
    let made = ca.client("leaf.plant-8.acme.serviceradar");
    hub.refuses(&made, "leaf.plant-8.acme.serviceradar")
        .await
        .unwrap();
    hub.logs(0, "authentication error").await.unwrap();
    let said = said(&ca, &made, LEAF, Usage::Client);
    assert!(
        said[0].contains("its common name is leaf.plant-8"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_server_refuses_a_chain_without_its_intermediate() {
    let ca = Ca::new(now());
    let hub = hub(&ca, &[LEAF]).unwrap();
    let mut made = ca.client(LEAF);
    let end = "-----END CERTIFICATE-----\n";
    let own = made.certificate.find(end).unwrap() + end.len();
    assert_eq!(made.certificate.matches(end).count(), 2);
    made.certificate.truncate(own);
    hub.refuses(&made, "certificate signed by unknown authority")
        .await
        .unwrap();
    let said = said(&ca, &made, LEAF, Usage::Client);
    assert!(said[0].contains("the intermediate is missing"), "{said:?}");
}

#[tokio::test]
async fn a_server_refuses_an_expired_certificate() {
    let past = now() - days(30);
    let ca = Ca::new(past);
    let hub = hub(&ca, &[LEAF]).unwrap();
    let validity = Validity::starting(past, days(1)).unwrap();
    let made = ca.authority.client(&name(LEAF), validity).unwrap();
    hub.refuses(&made, "certificate has expired").await.unwrap();
    let said = said(&ca, &made, LEAF, Usage::Client);
    assert!(said[0].starts_with("it expired on"), "{said:?}");
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn a_server_refuses_another_ca_of_the_same_name() {
    let (ca, other) = (Ca::new(now()), Ca::new(now()));
    let hub = hub(&ca, &[LEAF]).unwrap();
    let made = other.client(LEAF);
    hub.refuses(&made, "unknown authority").await.unwrap();
    let said = said(&ca, &made, LEAF, Usage::Client);
    assert_eq!(said.len(), 1, "{said:?}");
    // A chain of its own issuer, under a leaf that another one signed.
    let mut mixed = ca.client(LEAF);
    let own = other.client(LEAF);
    let end = "-----END CERTIFICATE-----\n";
    let cut = |text: &str| text.find(end).unwrap() + end.len();
    let (first, rest) = (cut(&own.certificate), cut(&mixed.certificate));
    mixed.certificate = format!(
        "{}{}",
        &own.certificate[..first],
        &mixed.certificate[rest..]
    );
    mixed.key = own.key;
    hub.refuses(&mixed, "certificate signed by unknown authority")
        .await
        .unwrap();
    assert_eq!(check_count(&ca, &mixed), 1);
}

fn check_count(ca: &Ca, made: &Made) -> usize {
    said(ca, made, LEAF, Usage::Client).len()
}

#[tokio::test]
async fn a_server_with_another_ones_certificate_is_refused_by_clients() {
    let ca = Ca::new(now());
    let validity = Validity::starting(now(), days(1)).unwrap();
    let elsewhere = ["hub-9.example.com".parse().unwrap()];
    let made = ca
        .authority
        .server(&name("hub-9"), &elsewhere, validity)
        .unwrap();
    let hub = Running::start(&ca, &made, &["CN=x"], |_| String::new()).unwrap();
    assert!(hub.accepts(&ca.client("x")).await.is_err());
    let said = said(&ca, &made, "hub-9", Usage::Server);
    assert!(
        said[0].contains("clients that dial 127.0.0.1 will refuse it"),
        "{said:?}"
    );
    assert!(said[0].contains("it names hub-9.example.com"), "{said:?}");
}

#[tokio::test]
async fn a_client_certificate_serves_no_server() {
    let ca = Ca::new(now());
    let made = ca.client("hub-1");
    let said = said(&ca, &made, "hub-1", Usage::Server);
    let named = said
        .iter()
        .any(|problem| problem.contains("not made for serverAuth"));
    assert!(named, "{said:?}");
}

/// A leaf's remote with its certificate, the hub's listener with its own: the link stands, and
/// messages cross; with an unknown name it does not.
#[tokio::test]
async fn a_leaf_links_with_its_certificate() {
    let ca = Ca::new(now());
    let users = users(&[LEAF, "app"]);
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let hub = Running::start(&ca, &ca.server("hub-1"), &users, |dir| {
        let tls = tls(dir, "server", "verify_and_map: true");
        format!("leafnodes {{ listen: \"127.0.0.1:-1\"\n{tls} }}")
    });
    let hub = hub.unwrap();
    let url = hub.leafnodes().await.unwrap();
    let remote = |called: &str| {
        let made = ca.client(called);
        Running::start(&ca, &ca.server("leaf"), &["CN=app"], |dir| {
            put(dir, "remote", &made).unwrap();
            let tls = tls(dir, "remote", "timeout: 5");
            format!("leafnodes {{ remotes: [ {{ url: \"{url}\", account: APP, {tls} }} ] }}")
        })
        .unwrap()
    };
    let leaf = remote(LEAF);
    leaf.logs(0, "Leafnode connection created for account: APP")
        .await
        .unwrap();
    crossing(&hub, &leaf, &ca.client("app")).await.unwrap();
    let before = hub.log().unwrap().len();
    let _stranger = remote("leaf.plant-9.acme.serviceradar");
    hub.logs(before, "leaf.plant-9.acme.serviceradar")
        .await
        .unwrap();
    hub.logs(before, "authentication error").await.unwrap();
}

async fn crossing(hub: &Running, leaf: &Running, app: &Made) -> Result<()> {
    let key = app.key.as_ref().unwrap();
    let (there, here) = (hub.connect(app, key).await?, leaf.connect(app, key).await?);
    let mut arriving = there.subscribe("from.leaf").await?;
    there.flush().await?;
    // Interest reaches the leaf in its own time: send until one arrives.
    cim_testkit::until("a message crosses", async || {
        here.publish("from.leaf", "x".into()).await?;
        here.flush().await?;
        let arrived = tokio::time::timeout(Duration::from_millis(50), arriving.next()).await?;
        arrived.map(drop).context("the hub's client is gone")
    })
    .await
}
