# Options of every instance for cim-health: how often it looks, when it warns and when it calls.
{ lib }:
let
  inherit (lib) mkOption types;

  text =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };

  levels = type: what: warning: critical: {
    warning = mkOption {
      inherit type;
      default = warning;
      description = "${what}: a warning from here.";
    };
    critical = mkOption {
      inherit type;
      default = critical;
      description = "${what}: critical from here.";
    };
  };
  percent = levels (types.ints.between 0 100);
  time = levels types.str;
  count =
    what: warning: critical:
    levels (types.nullOr types.ints.positive) "${what} (`null`: never)" warning critical;
in
{
  interval = text "1s" "How often the daemon looks at the server and its links; 100 ms to 1 minute.";
  slowInterval = text "15s" "How often the daemon looks at streams, consumers, files and disk; 1 second to 1 hour.";

  # As `nats server check jetstream` has them.
  storage = percent "Share of {option}`jetstream.maxFileStore` that is used, in percent" 75 90;
  memory = percent "Share of {option}`jetstream.maxMemoryStore` that is used, in percent" 75 90;
  disk = percent "Share of the store's file system that is used, in percent" 80 90;
  connections = percent "Share of {option}`limits.maxConnections` that is used, in percent" 75 90;
  subscriptions =
    percent "Share of {option}`limits.maxSubscriptions` that one connection uses, in percent" 75
      90;

  rtt = time "Round trip between the two ends of a link" "1s" "5s";
  expiry = time "What is left until a certificate or JWT expires" "14d" "3d";
  sources =
    time "How long a source or mirror has not been heard of, or has brought nothing although more waits"
      "1m"
      "5m";
  clock = time "How far the server's clock is from the host's" "2s" "10s";

  # A backup is due daily, up to half an hour late, and counts from its beginning: one is missed, two are.
  backup =
    time
      "Age of an account's newest good backup, where {option}`backup.enable` is set; to be changed together with {option}`backup.onCalendar`"
      "26h"
      "50h";
  drill =
    time "Age of the last drill of an account's backups, where {option}`backup.drill` is set" "26h"
      "50h";

  slowConsumers = count "Connections a minute that could not keep up" 1 60;
  apiErrors = count "Failed JetStream requests a minute" 60 600;
  pending = count "Messages that a consumer has not delivered yet" null null;
  redeliveries =
    count "Messages that a consumer delivered more than once and nobody has acknowledged" 100
      1000;
}
