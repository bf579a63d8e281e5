//! Node tools that stay connected log in with what their file holds at that moment.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::{Account, Claims, Creds, KeyPair, Operator, User};
use cim_node::provision::connect::{Login, connect};
use cim_testkit::{nats_server, until};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server in operator mode that knows one account.
struct Hub {
    server: Server,
    account: KeyPair,
}

impl Hub {
    fn start(dir: &Path) -> Result<Self> {
        let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
        let root = Claims::new(operator.public_key(), Operator::default());
        let root = root.encode(&operator, now()?)?;
        let public = account.public_key();
        let jwt = Claims::new(&public, Account::default()).encode(&operator, now()?)?;
        let config = dir.join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:-1\"\nserver_name: \"hub\"\nports_file_dir: \"{}\"\ndebug: true\n\
             operator: \"{root}\"\nresolver: MEMORY\nresolver_preload: {{ {public}: \"{jwt}\" }}\n",
            dir.display()
        );
        fs::write(&config, text)?;
        let server = Server::start(&nats_server()?, &config)?;
        Ok(Self { server, account })
    }

    /// Creds of somebody new; they end at `exp`, in seconds since 1970, or never (0).
    fn creds(&self, exp: i64) -> Result<String> {
        let user = KeyPair::new_user();
        let nats = User::of(self.account.public_key(), UserPermissionLimits::default());
        let claims = Claims::new(user.public_key(), nats).expiring(exp);
        let jwt = claims.encode(&self.account, now()?)?;
        Ok(Creds::new(jwt, user)?.text()?.to_string())
    }
}

fn now() -> Result<i64> {
    Ok(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    )?)
}

#[tokio::test]
async fn creds_that_ended_are_read_again_when_whole_ones_lie_there() -> Result<()> {
    let dir = tempfile::tempdir().context("creating a folder")?;
    let hub = Hub::start(dir.path())?;
    let file = dir.path().join("tool.creds");
    fs::write(&file, hub.creds(now()? + 6)?)?;
    let login = Login {
        servers: vec![hub.server.url().to_owned()],
        credentials: Some(file.clone()),
        ..Login::default()
    };
    let client = connect(&login, PATIENCE).await?;
    let logins = || client.statistics().connects.load(Ordering::Relaxed);
    ensure!(logins() == 1);
    // Half of the new ones, as a copy that is under way leaves them.
    let whole = hub.creds(0)?;
    fs::write(&file, &whole[..whole.len() / 2])?;
    until("the old ones end", async || {
        let log = fs::read_to_string(hub.server.log())?;
        ensure!(log.contains("User Authentication Expired"), "{log}");
        Ok(())
    })
    .await?;
    ensure!(logins() == 1, "half a file let it in");
    fs::write(&file, &whole)?;
    until("it is back", async || {
        ensure!(logins() == 2, "{} logins", logins());
        Ok(())
    })
    .await?;
    client.flush().await.context("using the new login")
}

#[tokio::test]
async fn what_is_wrong_at_the_start_is_told_at_once() -> Result<()> {
    let dir = tempfile::tempdir().context("creating a folder")?;
    let hub = Hub::start(dir.path())?;
    let file = dir.path().join("tool.creds");
    let login = Login {
        servers: vec![hub.server.url().to_owned()],
        credentials: Some(file.clone()),
        ..Login::default()
    };
    let whole = hub.creds(0)?;
    for text in [None, Some(""), Some(&whole[..whole.len() / 2])] {
        if let Some(text) = text {
            fs::write(&file, text)?;
        }
        // Longer than anything waits: nothing is tried again.
        let error = connect(&login, Duration::from_secs(3600)).await.err();
        let said = error.map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(
            said.starts_with(&format!("reading the credentials {}: ", file.display())),
            "{said}"
        );
        ensure!(
            !whole
                .lines()
                .any(|line| line.len() > 20 && said.contains(line))
        );
    }
    Ok(())
}
