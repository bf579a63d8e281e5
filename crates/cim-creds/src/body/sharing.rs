//! Which exports and imports nats-server takes. One that it does not take costs the whole account:
//! its JWT is not loaded, and nobody logs in.
//!
//! Upstream: nats-io/jwt v2.8.2, `exports.go` and `imports.go`.

use crate::body::activation::Activation;
use crate::body::share::{Export, ExportType, Import};
use crate::body::{keys, subject};
use crate::decode::decode;
use crate::encode::EncodeError;
use crate::key::KeyKind;

fn refuse(field: &str, what: String, help: &'static str) -> Result<(), EncodeError> {
    Err(EncodeError::field(field, what, help))
}

/// All exports of an account.
pub(crate) fn check_exports(exports: &[Export]) -> Result<(), EncodeError> {
    for (index, export) in exports.iter().enumerate() {
        check_export(export)?;
        let other = exports.iter().enumerate().find(|(other, outer)| {
            *other != index
                && outer.kind == export.kind
                && subject::is_within(&export.subject, &outer.subject)
        });
        if let Some((_, outer)) = other {
            return refuse(
                "exports",
                format!(
                    "have {:?} and {:?}, which covers it",
                    export.subject, outer.subject
                ),
                "export only one of the two",
            );
        }
    }
    Ok(())
}

fn check_export(export: &Export) -> Result<(), EncodeError> {
    let name = &export.subject;
    subject::check("exports[].subject", name)?;
    let of_service = export.response_type.is_some()
        || export.response_threshold != 0
        || export.service_latency.is_some()
        || export.allow_trace;
    if export.kind == ExportType::Stream && of_service {
        return refuse(
            "exports",
            format!("have the stream {name:?} with settings of a service"),
            "leave out response_type, response_threshold, service_latency and allow_trace, or export a service",
        );
    }
    if export.response_threshold < 0 {
        return refuse(
            "exports[].response_threshold",
            format!("of {name:?} is negative"),
            "write nanoseconds, 0 for nats-server's default",
        );
    }
    if let Some(latency) = &export.service_latency {
        subject::check_literal("exports[].service_latency.results", &latency.results)?;
    }
    let revoked = export.revocations.0.keys();
    keys(
        "exports[].revocations",
        KeyKind::Account,
        revoked.filter(|key| *key != "*"),
    )?;
    let position = usize::try_from(export.account_token_position).unwrap_or(usize::MAX);
    if position > 0 && name.split('.').nth(position - 1) != Some("*") {
        return refuse(
            "exports[].account_token_position",
            format!("{position} is no * of {name:?}"),
            "write the place of the * that stands for the importer, counted from 1",
        );
    }
    Ok(())
}

/// All imports of the account `sub`.
pub(crate) fn check_imports(imports: &[Import], sub: &str) -> Result<(), EncodeError> {
    let mut services: Vec<(&str, String)> = Vec::new();
    for import in imports {
        check_import(import, sub)?;
        if import.kind == ExportType::Stream {
            continue;
        }
        let local = local(import);
        let clash = services.iter().find(|(account, other)| {
            *account == import.account
                && (subject::is_within(&local, other) || subject::is_within(other, &local))
        });
        if let Some((_, other)) = clash {
            return refuse(
                "imports",
                format!("have the services {other:?} and {local:?} of one account, which overlap"),
                "give one of them another local_subject",
            );
        }
        services.push((&import.account, local));
    }
    Ok(())
}

/// Where requests to an imported service go.
fn local(import: &Import) -> String {
    if !import.to.is_empty() {
        return import.to.clone();
    }
    if !import.local_subject.is_empty() {
        return subject::with_stars(&import.local_subject);
    }
    import.subject.clone()
}

fn check_import(import: &Import, sub: &str) -> Result<(), EncodeError> {
    let name = &import.subject;
    keys("imports[].account", KeyKind::Account, [&import.account])?;
    subject::check("imports[].subject", name)?;
    if !import.local_subject.is_empty() {
        subject::check_renaming("imports[].local_subject", &import.local_subject, name)?;
        if !import.to.is_empty() {
            return refuse(
                "imports[].to",
                format!("of {name:?} stands beside local_subject"),
                "leave to out",
            );
        }
    }
    if import.share && import.kind == ExportType::Stream {
        return refuse(
            "imports[].share",
            format!("is set for the stream {name:?}"),
            "leave it out: it is for services",
        );
    }
    if import.allow_trace && import.kind == ExportType::Service {
        return refuse(
            "imports[].allow_trace",
            format!("is set for the service {name:?}"),
            "leave it out: it is for streams; a service's export has it",
        );
    }
    check_token(import, sub)
}

/// The activation is for this account, this kind and this subject, by the exporter.
fn check_token(import: &Import, sub: &str) -> Result<(), EncodeError> {
    if import.token.is_empty() {
        return Ok(());
    }
    let name = &import.subject;
    let field = "imports[].token";
    let Ok(token) = decode::<Activation>(&import.token) else {
        return refuse(
            field,
            format!("of {name:?} is no activation JWT"),
            "write what the exporting account issued, whole and unchanged",
        );
    };
    let (data, nats) = (&token.claims.data, &token.claims.nats);
    let wanted = match import.kind {
        ExportType::Service if !import.to.is_empty() => &import.to,
        _ => name,
    };
    let wrong = if data.sub != sub {
        "is for another account"
    } else if data.iss != import.account && nats.issuer_account != import.account {
        "is not issued by the account that is imported from"
    } else if nats.kind != import.kind {
        "is for the other kind, stream or service"
    } else if !subject::is_within(wanted, &nats.subject) {
        "does not cover the subject"
    } else {
        return Ok(());
    };
    refuse(
        field,
        format!("of {name:?} {wrong}"),
        "have the exporting account issue one for this import",
    )
}

#[cfg(test)]
mod tests {
    use nkeys::{KeyPair, KeyPairType};

    use super::*;
    use crate::body::share::{Sampling, ServiceLatency};
    use crate::claims::Claims;

    fn account(raw: u8) -> KeyPair {
        KeyPair::new_from_raw(KeyPairType::Account, [raw; 32]).unwrap()
    }

    fn export(kind: ExportType, subject: &str, change: impl FnOnce(&mut Export)) -> Export {
        let mut export = Export::new(kind, subject);
        change(&mut export);
        export
    }

    fn import(change: impl FnOnce(&mut Import)) -> Import {
        let mut import = Import::new(ExportType::Service, account(3).public_key(), "cfg.get");
        change(&mut import);
        import
    }

    fn exports(exports: &[Export]) -> String {
        check_exports(exports).unwrap_err().to_string()
    }

    fn imports(imports: &[Import]) -> String {
        let sub = account(6).public_key();
        check_imports(imports, &sub).unwrap_err().to_string()
    }

    #[test]
    fn exports_that_cost_the_account_are_refused() {
        use ExportType::{Service, Stream};
        assert!(exports(&[export(Stream, "a..b", |_| ())]).contains("no subject"));
        let both = [export(Stream, "a.b", |_| ()), export(Stream, "a.>", |_| ())];
        assert!(exports(&both).contains(r#""a.b" and "a.>""#));
        assert!(check_exports(&[both[0].clone(), export(Service, "a.>", |_| ())]).is_ok());
        let traced = export(Stream, "a", |export| export.allow_trace = true);
        assert!(exports(&[traced]).contains("settings of a service"));
        let late = export(Service, "a", |export| export.response_threshold = -1);
        assert!(exports(&[late]).contains("negative"));
        let placed = export(Service, "a.*", |export| export.account_token_position = 1);
        assert!(exports(&[placed]).contains("is no *"));
        let measured = export(Service, "a", |export| {
            export.service_latency = Some(ServiceLatency {
                sampling: Sampling::Headers,
                results: "x.*".to_owned(),
            });
        });
        assert!(exports(&[measured]).contains("wildcards"));
    }

    #[test]
    fn imports_that_cost_the_account_are_refused() {
        let plain = import(|_| ());
        let sub = account(6).public_key();
        assert!(check_imports(std::slice::from_ref(&plain), &sub).is_ok());
        assert!(imports(&[plain.clone(), plain.clone()]).contains("overlap"));
        let apart = import(|import| import.local_subject = "hub.cfg".to_owned());
        assert!(check_imports(&[plain, apart.clone()], &sub).is_ok());
        let both = Import {
            to: "x".to_owned(),
            ..apart
        };
        assert!(imports(&[both]).contains("beside local_subject"));
        let nobody = import(|import| import.account = "CIM".to_owned());
        assert!(imports(&[nobody]).contains("public key of an account"));
    }

    #[test]
    fn an_activation_must_fit_its_import() {
        let token = |signer: u8, sub: u8, kind, subject: &str| {
            let nats = Activation::of(account(signer).public_key(), kind, subject);
            let claims = Claims::new(account(sub).public_key(), nats);
            let token = claims.encode(&account(4), 1).unwrap();
            import(|import| import.token = token)
        };
        use ExportType::{Service, Stream};
        let sub = account(6).public_key();
        assert!(check_imports(&[token(3, 6, Service, "cfg.*")], &sub).is_ok());
        for (wrong, what) in [
            (token(3, 7, Service, "cfg.*"), "another account"),
            (token(5, 6, Service, "cfg.*"), "not issued by"),
            (token(3, 6, Stream, "cfg.*"), "other kind"),
            (token(3, 6, Service, "cfg.set"), "does not cover"),
            (
                import(|import| import.token = "x".to_owned()),
                "no activation",
            ),
        ] {
            assert!(imports(&[wrong]).contains(what), "{what}");
        }
    }
}
