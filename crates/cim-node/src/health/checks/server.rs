//! The server answers, and its clock is the host's.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::health::check::{Check, Context, Subjects, one};
use crate::health::finding::{Figure, Unit, Verdict, reached};

pub const CHECKS: &[Check] = &[
    Check {
        name: "server",
        of: "",
        looks_at: "`/varz`",
        states: "OK: this very server answers. UNKNOWN: nobody answers, another server does, or something that is no nats-server.",
        option: "",
        after: &[],
        gates: true,
        is_slow: false,
        meaning: "The monitoring listener of this instance answers, by the name of this instance. While it does not, nobody knows anything: the server may be dead, frozen, or only its monitoring port taken.",
        causes: [
            (
                "the server is stopped, or ends as soon as it starts",
                "systemctl status {unit}; journalctl -u {unit} -n 50",
            ),
            (
                "it is frozen or starved: it is there and does not answer in 3 s",
                "systemctl show {unit} -p MainPID,MemoryCurrent; top -p $(systemctl show {unit} -p MainPID --value)",
            ),
            (
                "another process has the monitoring port",
                "ss -ltnp; curl -s {monitor}/varz | head -4",
            ),
        ],
        subjects: |_| Subjects::instance(true),
        judge: server,
    },
    Check {
        name: "clock",
        of: "",
        looks_at: "`now` of `/varz` beside the host's clock, and the clock beside itself between two looks",
        states: "WARNING, CRITICAL: they are further apart than the level. UNKNOWN: the clock was set by more than the critical level since the look before, so nobody knows which of the two was right.",
        option: "clock",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "Certificates and JWTs hold by the clock, and `max_age` of streams goes by it. A clock that is wrong makes good ones expire and expired ones good.",
        causes: [
            (
                "the clock was set by hand, or by NTP after a long time without",
                "timedatectl; journalctl -u systemd-timesyncd -n 20",
            ),
            (
                "a virtual machine was paused and goes on",
                "journalctl -k -n 50; timedatectl timesync-status",
            ),
            (
                "the monitoring URL leads to another machine",
                "curl -s {monitor}/varz | grep -E '\"now\"|\"server_id\"'; date -u",
            ),
        ],
        subjects: |_| Subjects::instance(true),
        judge: |context| one(clock(context)),
    },
];

fn server(context: &Context) -> Vec<(String, Verdict)> {
    let varz = match &context.look.varz {
        Ok(varz) => varz,
        Err(why) => {
            let unit = &context.health.unit;
            let help = format!("systemctl status {unit}; journalctl -u {unit} -n 50");
            return one(Ok(Verdict::unknown(why.clone(), help)));
        }
    };
    let rates = match context.look.backlog.increase() {
        Some(increase) => format!(
            ", {:.1} messages/s in, {:.1} out",
            increase.counters.in_msgs as f64 / increase.seconds,
            increase.counters.out_msgs as f64 / increase.seconds
        ),
        None => String::new(),
    };
    let message = format!(
        "nats-server {} answers, since {}{rates}",
        varz.version, varz.start
    );
    let total = |name, value: u64| Figure::new(name, value as f64, Unit::Total);
    let verdict = Verdict::ok(message)
        .figure(total("in_messages", varz.in_msgs))
        .figure(total("out_messages", varz.out_msgs));
    one(Ok(verdict))
}

fn clock(context: &Context) -> Result<Verdict, Verdict> {
    let varz = context.varz()?;
    let level = context.level(|levels| levels.clock);
    let bound = level.critical.unwrap_or(u64::MAX) as f64 / 1000.0;
    if context.look.jump.abs() > bound {
        return Err(Verdict::unknown(
            format!(
                "the host's clock was set by {:+.1} s since the last look",
                context.look.jump
            ),
            "see whether it is right now: timedatectl; the next look judges again",
        ));
    }
    let now = OffsetDateTime::parse(&varz.now, &Rfc3339).map_err(|_| {
        Verdict::unknown(
            format!("the server's clock says {:?}, which is no moment", varz.now),
            "see what answers: curl the monitoring URL of health.json",
        )
    })?;
    let apart = (now - context.look.at).as_seconds_f64().abs();
    let state = reached((apart * 1000.0) as u64, level);
    Ok(Verdict::measured(
        state,
        format!("the server's clock is {apart:.3} s from the host's"),
        "set the host's clock right (timedatectl), then restart what had it wrong",
    )
    .figure(Figure::new("apart_seconds", apart, Unit::Seconds).against(level)))
}
