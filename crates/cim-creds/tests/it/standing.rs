//! What a changed account JWT does to connections that stand, when it is pushed and when nats-server reloads with it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions, Subscriber};
use cim_check::Server;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Claims};
use cim_testkit::{nats_server, until};
use futures_util::StreamExt;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::keys::{account, account_with, operator, strict_operator};
use crate::server::{creds, issue, subscribe, system};

/// The account, the key of its clients and the key of its leaf.
const CIM: u8 = 30;
const CLIENTS: u8 = 31;
const LEAF: u8 = 32;

/// A hub with a full resolver, and a leaf that is linked by its creds.
struct Linked {
    hub: Server,
    leaf: Server,
    dir: TempDir,
}

#[tokio::test]
async fn a_pushed_jwt_cuts_the_leaf_which_comes_back_with_its_new_rights() -> Result<()> {
    let linked = Linked::start("old.>")?;
    let mut crossing = linked.crossing().await?;
    crossing.waits_for("old.x").await?;
    linked.push(&token("new.>")?).await?;
    crossing.waits_for("new.x").await?;
    ensure!(!crossing.crosses("old.x", "new.x").await?, "old.x crosses");
    let log = fs::read_to_string(linked.hub.log())?;
    ensure!(
        log.contains("Leafnode connection closed: Authentication Failure"),
        "{log}"
    );
    Ok(())
}

/// nats-server 2.15.1 stores the JWT, and goes on with the link as it is; when this fails, it has learned better.
#[tokio::test]
async fn a_reload_leaves_the_link_its_old_rights_until_the_jwt_is_pushed() -> Result<()> {
    let linked = Linked::start("old.>")?;
    let mut crossing = linked.crossing().await?;
    crossing.waits_for("old.x").await?;
    let jwt = token("new.>")?;
    linked.reload_with(&jwt).await?;
    ensure!(
        crossing.crosses("old.x", "old.y").await?,
        "old.x crosses no more"
    );
    linked.push(&jwt).await?;
    crossing.waits_for("new.x").await?;
    ensure!(!crossing.crosses("old.x", "new.x").await?, "old.x crosses");
    Ok(())
}

/// The account's JWT: what its leaf may publish, and nothing else, is in it.
fn token(subject: &str) -> Result<String> {
    let mut template = UserPermissionLimits::default();
    template.permissions.publish.allow = vec![subject.to_owned()];
    template.permissions.subscribe.allow = vec!["commands.>".to_owned()];
    let mut nats: Account = account_with(&[&account(CLIENTS)]);
    nats.signing_keys
        .add_scoped(UserScope::new(account(LEAF).public_key(), "leaf", template));
    Ok(issue(&account(CIM), "CIM", nats)?.1)
}

impl Linked {
    fn start(subject: &str) -> Result<Self> {
        let dir = tempfile::tempdir().context("creating a folder")?;
        for name in ["hub", "leaf"] {
            fs::create_dir(dir.path().join(name))?;
        }
        let binary = nats_server()?;
        fs::write(
            dir.path().join("hub/nats.conf"),
            conf(dir.path(), &token(subject)?)?,
        )?;
        let hub = Server::start(&binary, &dir.path().join("hub/nats.conf"))?;
        let varz: Value = hub.get("/varz")?;
        let url = format!("nats://127.0.0.1:{}", varz["leaf"]["port"]);
        let leaf_dir = dir.path().join("leaf").display().to_string();
        let own = creds(&account(CIM), &account(LEAF), "leaf", true)?;
        fs::write(dir.path().join("leaf/leaf.creds"), own)?;
        fs::write(
            dir.path().join("leaf/nats.conf"),
            format!(
                "listen: \"127.0.0.1:-1\"\nserver_name: \"leaf\"\nports_file_dir: \"{leaf_dir}\"\n\
                 leafnodes {{ reconnect: \"100ms\", remotes: [ {{ url: \"{url}\", credentials: \"{leaf_dir}/leaf.creds\" }} ] }}\n"
            ),
        )?;
        let leaf = Server::start(&binary, &dir.path().join("leaf/nats.conf"))?;
        Ok(Self { hub, leaf, dir })
    }

    /// Has the hub reload with another JWT of the account, and waits until it did.
    async fn reload_with(&self, jwt: &str) -> Result<()> {
        let before = self.hub.varz()?.config_load_time;
        fs::write(
            self.dir.path().join("hub/nats.conf"),
            conf(self.dir.path(), jwt)?,
        )?;
        self.hub.signal(Signal::HUP)?;
        until("the hub reloads", async || {
            let log = fs::read_to_string(self.hub.log())?;
            ensure!(self.hub.varz()?.config_load_time != before, "{log}");
            Ok(())
        })
        .await
    }

    /// Pushes the account's JWT over the system account.
    async fn push(&self, jwt: &str) -> Result<()> {
        let (sys, key) = system();
        let desk = self.client(&creds(&sys, &key, "desk", false)?).await?;
        let answer = desk
            .request("$SYS.REQ.CLAIMS.UPDATE", jwt.to_owned().into())
            .await?;
        let answer = String::from_utf8_lossy(&answer.payload).into_owned();
        ensure!(answer.contains("\"code\":200"), "{answer}");
        Ok(())
    }

    async fn client(&self, creds: &str) -> Result<Client> {
        let options = ConnectOptions::with_credentials(creds)?;
        Ok(options.connect(self.hub.url()).await?)
    }

    /// Somebody who publishes at the leaf, and ears at the hub.
    async fn crossing(&self) -> Result<Crossing> {
        let app = self
            .client(&creds(&account(CIM), &account(CLIENTS), "app", false)?)
            .await?;
        Ok(Crossing {
            leaf: async_nats::connect(self.leaf.url()).await?,
            ears: subscribe(&app, ">").await?,
            _app: app,
        })
    }
}

/// From the leaf to the hub.
struct Crossing {
    leaf: Client,
    ears: Subscriber,
    _app: Client,
}

impl Crossing {
    /// Publishes until it is heard.
    async fn waits_for(&mut self, subject: &'static str) -> Result<()> {
        self.crosses("", subject).await.map(drop)
    }

    /// Whether `first` is heard before `then`, which is published after it until it is heard.
    async fn crosses(&mut self, first: &'static str, then: &'static str) -> Result<bool> {
        let mut crossed = false;
        until(&format!("{then} is heard"), async || {
            for subject in [first, then]
                .into_iter()
                .filter(|subject| !subject.is_empty())
            {
                self.leaf.publish(subject, "".into()).await?;
            }
            self.leaf.flush().await?;
            let moment = Duration::from_millis(50);
            while let Ok(Some(message)) = timeout(moment, self.ears.next()).await {
                if message.subject.as_str() == then {
                    return Ok(());
                }
                crossed |= message.subject.as_str() == first;
            }
            anyhow::bail!("it is not")
        })
        .await?;
        Ok(crossed)
    }
}

fn conf(dir: &Path, jwt: &str) -> Result<String> {
    let (sys, sys_key) = system();
    let (sys_public, sys_jwt) = issue(&sys, "SYS", account_with(&[&sys_key]))?;
    let mut root: Claims<cim_creds::Operator> = strict_operator();
    root.nats.system_account = sys_public.clone();
    // Always the same: an operator that was issued a second later is another one, which no reload takes.
    let root = root.encode(&operator(1), 1_790_000_000)?;
    let cim = account(CIM).public_key();
    let dir = dir.join("hub").display().to_string();
    Ok(format!(
        "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nserver_name: \"hub\"\nports_file_dir: \"{dir}\"\ndebug: true\n\
         leafnodes {{ listen: \"127.0.0.1:-1\" }}\noperator: \"{root}\"\nsystem_account: \"{sys_public}\"\n\
         resolver: {{ type: full, dir: \"{dir}/jwt\" }}\n\
         resolver_preload: {{\n  {sys_public}: \"{sys_jwt}\"\n  {cim}: \"{jwt}\"\n}}\n"
    ))
}
