//! What every system account offers, as nsc makes it (`cmd/init.go`, `createSystemAccount`).

use cim_creds::body::share::{Export, ExportType, ResponseType};

const ABOUT: &str = "https://docs.nats.io/nats-server/configuration/sys_accounts";

/// An account may ask after itself, and hear of itself.
pub(crate) fn exports() -> Vec<Export> {
    vec![
        Export {
            name: "account-monitoring-streams".to_owned(),
            account_token_position: 3,
            description: "Account specific monitoring stream".to_owned(),
            info_url: ABOUT.to_owned(),
            ..Export::new(ExportType::Stream, "$SYS.ACCOUNT.*.>")
        },
        Export {
            name: "account-monitoring-services".to_owned(),
            response_type: Some(ResponseType::Stream),
            account_token_position: 4,
            description:
                "Request account specific monitoring services for: SUBSZ, CONNZ, LEAFZ, JSZ and INFO"
                    .to_owned(),
            info_url: ABOUT.to_owned(),
            ..Export::new(ExportType::Service, "$SYS.REQ.ACCOUNT.*.*")
        },
    ]
}
