//! JWTs that a hub in operator mode has loaded, or will load, and that end.

use std::fs;

use anyhow::{Context, Result, ensure};
use cim_creds::{Account, Activation, Claims, KeyPair, Operator, decode};
use cim_testkit::{Identity, in_operator_mode, key, plan};
use nkeys::KeyPairType;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::fault::{Fault, well};
use crate::scene::{HUB, Scene, finding, open, prepared};

/// The hub, and a second account that may import by leave of the first.
struct Hub {
    specs: [Value; 1],
    identity: Identity,
    scene: Scene,
}

fn specs() -> Result<[Value; 1]> {
    let mut hub = open("security-hub")?;
    let accounts = hub.pointer_mut("/hub/fleet/accounts");
    let accounts = accounts.context("accounts")?;
    let mut shop = accounts["CIM-PROD"].clone();
    shop["jetstream"]["enable"] = json!(false);
    shop["imports"] = json!([{
        "stream": { "account": "CIM-PROD", "subject": "metrics.>" }, "service": null,
        "to": null, "prefix": null, "share": null, "allowTrace": null,
    }]);
    accounts["SHOP"] = shop;
    accounts["CIM-PROD"]["exports"] = json!([{
        "stream": "metrics.>", "service": null, "accounts": ["SHOP"], "responseType": null, "threshold": null,
        "latency": null, "accountTokenPosition": null, "allowTrace": null,
    }]);
    Ok([hub])
}

fn hub() -> Result<Hub> {
    let mut specs = specs()?;
    let identity = in_operator_mode(&mut specs)?;
    let mut scene = prepared(&specs)?;
    scene.fleet.start_all()?;
    // No leaf is there.
    scene.health.watch.leaves.clear();
    Ok(Hub {
        specs,
        identity,
        scene,
    })
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn block<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    block_in_place(|| Handle::current().block_on(work))
}

fn signer() -> KeyPair {
    key(KeyPairType::Operator, "operator.signing")
}

/// What the JWT of an account says.
fn claims(identity: &Identity, account: &str) -> Result<Claims<Account>> {
    let place = format!("accounts/{account}.jwt");
    let text = identity.files().get(&place).context("its JWT")?;
    Ok(decode::<Account>(text)?.claims)
}

/// Has the hub take it over, as `cim-admin accounts push` does; issued `later` than now, so that it is newer than the last.
fn push(scene: &Scene, identity: &Identity, claims: &Claims<Account>, later: i64) -> Result<()> {
    let jwt = claims.encode(&signer(), now() + later)?;
    let subject = format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", claims.data.sub);
    block(async {
        let desk = identity.login(&scene.fleet, HUB, "desk.jwt").await?;
        let answer = desk.request(subject, jwt.into()).await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        ensure!(answer["error"].is_null(), "{answer}");
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_whose_jwts_end() -> Result<()> {
    let Hub {
        identity,
        mut scene,
        ..
    } = hub()?;
    let client = identity.login(&scene.fleet, HUB, "users/CIM-PROD/alchemist.jwt");
    let client = client.await?;
    let report = well(&scene)?;
    for (of, says) in [
        ("account CIM-PROD", "does not end"),
        ("account SYS", "does not end"),
        (
            "account SHOP",
            "does not end; the server loads it once somebody uses the account",
        ),
        ("operator", "does not end"),
    ] {
        ensure!(
            finding(&report, "jwt", of)?["message"] == says,
            "{report:#}"
        );
    }
    let own = claims(&identity, "CIM-PROD")?;
    let mut later = 0;
    for (seconds, state, says) in [
        (89 * 60 + 59, "WARNING", " CIM-PROD expires "),
        (29 * 60 + 59, "CRITICAL", " CIM-PROD expires "),
        // By then the server has closed the account.
        (5, "CRITICAL", " CIM-PROD expired "),
    ] {
        let ends = Fault {
            check: "jwt",
            of: "account CIM-PROD",
            state,
            says: &["the JWT of account", says],
        };
        later += 2;
        ends.seen(
            &mut scene,
            |scene| {
                let ending = own.clone().expiring(now() + seconds);
                push(scene, &identity, &ending, later)
            },
            |scene| push(scene, &identity, &own, later + 1),
        )?;
    }
    drop(client);
    Ok(())
}

/// The second account imports by leave of the first, and nobody has used it yet: what it will load is in the resolver's folder.
#[tokio::test(flavor = "multi_thread")]
async fn activations_that_end_and_a_jwt_that_is_gone() -> Result<()> {
    let Hub {
        identity,
        mut scene,
        ..
    } = hub()?;
    let own = claims(&identity, "SHOP")?;
    let mut ending = own.clone();
    for import in &mut ending.nats.imports {
        let leave = decode::<Activation>(&import.token)?.claims;
        let leave = leave.expiring(now() + 29 * 60 + 59);
        let exporter = key(KeyPairType::Account, "CIM-PROD.activations");
        import.token = leave.encode(&exporter, now())?;
    }
    ensure!(!ending.nats.imports.is_empty(), "it imports nothing");
    let ends = Fault {
        check: "jwt",
        of: "account SHOP",
        state: "CRITICAL",
        says: &["the activation of \"metrics.>\" in the JWT of account SHOP expires "],
    };
    ends.seen(
        &mut scene,
        |scene| push(scene, &identity, &ending, 1),
        |scene| push(scene, &identity, &own, 2),
    )?;
    let jwts = scene.health.watch.jwts.as_ref().context("JWTs")?;
    let dir = jwts.dir.as_ref().context("a folder")?;
    let file = format!("{dir}/{}.jwt", own.data.sub);
    let aside = format!("{file}.aside");
    let gone = Fault {
        check: "jwt",
        of: "account SHOP",
        state: "UNKNOWN",
        says: &["the server has not loaded it, and ", ": No such file"],
    };
    gone.seen(
        &mut scene,
        |_| Ok(fs::rename(&file, &aside)?),
        |_| Ok(fs::rename(&aside, &file)?),
    )?;
    // Loaded, it says the same.
    let clerk = identity.login(&scene.fleet, HUB, "users/SHOP/alchemist.jwt");
    let clerk = clerk.await?;
    push(&scene, &identity, &ending, 3)?;
    scene.until(|report| {
        let found = finding(report, "jwt", "account SHOP")?;
        ensure!(found["state"] == "CRITICAL", "{found:#}");
        Ok(())
    })?;
    drop(clerk);
    Ok(())
}

/// A resolver in memory has no folder: nats-server starts with what stands in its config.
#[tokio::test]
async fn a_resolver_in_memory_and_an_operator_that_ends() -> Result<()> {
    let Hub {
        mut specs,
        identity,
        ..
    } = hub()?;
    let fleet = specs[0].pointer_mut("/hub/fleet").context("a fleet")?;
    fleet["operator"]["resolver"] = json!({
        "type": "memory", "allowDelete": false, "limit": null, "ttl": null, "interval": null, "timeout": null,
    });
    let mut scene = prepared(&specs)?;
    scene.fleet.start_all()?;
    scene.health.watch.leaves.clear();
    well(&scene)?;
    let fleet = specs[0].pointer_mut("/hub/fleet").context("a fleet")?;
    let shop = claims(&identity, "SHOP")?.expiring(now() + 29 * 60 + 59);
    fleet["accounts"]["SHOP"]["jwt"] = json!(shop.encode(&signer(), now())?);
    again(&mut scene, &specs)?;
    scene.until(|report| {
        let found = finding(report, "jwt", "account SHOP")?;
        ensure!(found["state"] == "CRITICAL", "{report:#}");
        Ok(())
    })?;
    let fleet = specs[0].pointer_mut("/hub/fleet").context("a fleet")?;
    identity.put_into(fleet)?;
    again(&mut scene, &specs)?;
    let whole = specs.clone();
    let text = identity.files().get("operator.jwt").context("its JWT")?;
    let operator = decode::<Operator>(text)?
        .claims
        .expiring(now() + 29 * 60 + 59);
    let operator = operator.encode(&key(KeyPairType::Operator, "operator"), now())?;
    specs[0]["hub"]["fleet"]["operator"]["jwt"] = json!(operator);
    let ends = Fault {
        check: "jwt",
        of: "operator",
        state: "CRITICAL",
        says: &["the JWT of operator ", " expires "],
    };
    ends.seen(
        &mut scene,
        |scene| again(scene, &specs),
        |scene| again(scene, &whole),
    )
}

/// Starts the hub anew with another spec.
fn again(scene: &mut Scene, specs: &[Value; 1]) -> Result<()> {
    scene.fleet.rewrite(HUB, plan(&specs[0])?)?;
    scene.fleet.kill(HUB)?;
    scene.fleet.start(HUB)?;
    scene.watch(HUB)?;
    scene.health.watch.leaves.clear();
    Ok(())
}
