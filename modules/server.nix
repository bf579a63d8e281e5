# Options that every nats-server of ours has, hub or leaf; what they become stands in spec.nix.
{
  lib,
  pkgs,
  # hub or leaf.
  role,
  # The instance's unit, for the state directory.
  unit,
  # A text for documentation and the value for `jetstream.syncInterval`.
  syncInterval,
  host,
  pingInterval,
  # The instance's own files, see sops.nix.
  files,
  # Its monitoring port, as it is set.
  httpPort,
}:
let
  inherit (lib) mkOption types;
  cimTypes = import ./types.nix { inherit lib; };
  fields = import ./fields.nix { inherit lib; };

  text =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };
  flag =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };
  count =
    default: description:
    mkOption {
      type = types.ints.unsigned;
      inherit default description;
    };
  listenerPort =
    block: example:
    mkOption {
      type = types.nullOr types.port;
      default = null;
      inherit example;
      description = "Port of the listener. `null`: none. NATS: `${block}.port`.";
    };
  # A hub is there for others: what it listens on has TLS as soon as there is a certificate.
  listenerTls = {
    default = if role == "hub" && files ? certFile then { } else null;
    defaultText = lib.literalMD (
      if role == "hub" then
        "the instance's files, where {option}`services.cim.sops` has them, or `null`"
      else
        "`null`"
    );
    example = {
      certFile = "/run/secrets/server.pem";
      keyFile = "/run/secrets/server.key";
    };
  };
  # A listener beside that of clients.
  listener =
    block: what:
    lib.recursiveUpdate (fields.options { inherit block; }) {
      host = text host "Address that the listener for ${what} binds to. NATS: `${block}.host`.";
      openFirewall = flag false "Whether to open its port in the firewall.";
      tls = mkOption (
        listenerTls
        // {
          type = types.nullOr (
            cimTypes.tls files block "what certificates of ${what} are held against, where they are verified."
          );
          description = "TLS of the listener. `null`: none.";
        }
      );
      plaintext = flag false "Says out loud that ${what} from other machines connect without TLS.";
    };
  encryption = types.submodule {
    options = {
      keyFile = mkOption (
        lib.optionalAttrs (files ? storeKeyFile) { default = files.storeKeyFile; }
        // {
          type = cimTypes.hostFile;
          defaultText = lib.literalMD "the instance's own, where {option}`services.cim.sops` has it";
          example = "/run/secrets/store.key";
          description = "File with the key, one line, as `openssl rand -base64 32` prints. NATS: `jetstream.key`.";
        }
      );
      prevKeyFile = mkOption {
        type = types.nullOr cimTypes.hostFile;
        default = null;
        example = "/run/secrets/store.key.old";
        description = "File with the key that the store was encrypted with before. `null`: none. NATS: `jetstream.prev_key`.";
      };
      cipher = mkOption {
        type = types.enum [
          "chachapoly"
          "aes"
        ];
        default = "chachapoly";
        description = "Cipher. NATS: `jetstream.cipher`.";
      };
    };
  };
  number = types.either types.int types.float;
  value =
    types.nullOr (
      types.oneOf [
        types.bool
        number
        types.str
        (types.attrsOf value)
        (types.listOf value)
      ]
    )
    // {
      description = "value of nats.conf";
    };
in
lib.recursiveUpdate
  (fields.options {
    block = "server";
    inherit role;
  })
  {
    package = lib.mkPackageOption pkgs "nats-server" { };

    host = text host "Address that the client listener binds to. NATS: `host`.";

    openFirewall = flag false "Whether to open the client port in the firewall.";

    httpPort = mkOption {
      type = types.port;
      default = 8222;
      description = "Port of the monitoring listener. It has no authentication, so it is on loopback only. NATS: `http_port`.";
    };

    tls = mkOption (
      listenerTls
      // {
        type = types.nullOr (
          cimTypes.tls files "client" "what clients verify this server with; named in `endpoints.json`."
        );
        description = "TLS of the client listener. `null`: none.";
      }
    );

    plaintext = flag false "Says out loud that clients from other machines connect without TLS.";

    memoryMaxBytes = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      example = 2 * 1024 * 1024 * 1024;
      description = ''
        Memory that the unit may use, in bytes; nats-server's garbage collector aims at nine tenths of
        it (`GOMEMLIMIT`). `null`: no limit.
      '';
    };

    limits = {
      maxConnections = count 65536 "Most clients at a time; the unit's file limit follows. NATS: `max_connections`.";
      maxSubscriptions = mkOption {
        type = types.nullOr types.ints.unsigned;
        default = null;
        example = 10000;
        description = "Most subscriptions of one connection. `null`: no limit. NATS: `max_subscriptions`.";
      };
      maxPayload = text "1MiB" "Largest message. NATS: `max_payload`.";
      maxPending = text "64MiB" "Most bytes that wait for one slow connection before it is cut. NATS: `max_pending`.";
      maxControlLine = text "4KiB" "Longest protocol line. NATS: `max_control_line`.";
      writeDeadline = text "10s" "How long a write to a connection may block. NATS: `write_deadline`.";
      pingInterval = text pingInterval "How often a silent peer is asked for life; it is given up after `pingMax` + 1 of them. NATS: `ping_interval`.";
      pingMax = count 2 "Unanswered pings after which a peer is dead. NATS: `ping_max`.";
    };

    lameDuck = {
      duration = text "30s" "Over how long a stopping server lets its clients go; at least 30 s. NATS: `lame_duck_duration`.";
      gracePeriod = text "5s" "How long clients may leave by themselves first. NATS: `lame_duck_grace_period`.";
    };

    logging = {
      debug = flag false "Whether to log debug lines. NATS: `debug`.";
      trace = flag false "Whether to log every protocol line, payloads included. NATS: `trace`.";
      logtime = flag false "Whether log lines have a time stamp; the journal has its own. NATS: `logtime`.";
      connectErrorReports = count 3600 "Every n-th failed first connect to another server is logged. NATS: `connect_error_reports`.";
      reconnectErrorReports = count 1 "Every n-th failed reconnect to another server is logged. NATS: `reconnect_error_reports`.";
    };

    jetstream = {
      enable = flag true "Whether the server persists messages.";
      storeDir = mkOption {
        type = types.str;
        default = "/var/lib/${unit}/jetstream";
        defaultText = lib.literalMD "`jetstream` in the unit's state directory";
        description = "Directory of the store, in the unit's state directory: nothing else is writable. NATS: `store_dir`.";
      };
      maxMemoryStore = text "256MiB" "Memory for streams. NATS: `max_memory_store`.";
      maxFileStore = text "10GiB" "Disk for streams. NATS: `max_file_store`.";
      syncInterval = mkOption {
        type = types.str;
        default = syncInterval.value;
        defaultText = lib.literalMD syncInterval.text;
        example = "10s";
        description = ''
          How often written data is forced to disk. `always`: before each acknowledgement, so that a
          power cut loses nothing that was acknowledged. NATS: `sync_interval`.
        '';
      };
      encryption = mkOption {
        type = types.nullOr encryption;
        default = null;
        example.keyFile = "/run/secrets/store.key";
        description = ''
          Encryption of the store at rest. Whoever loses the key loses the streams; changing it needs
          {option}`prevKeyFile` for one start. `null`: none.
        '';
      };
    };

    health =
      import ./health.nix { inherit lib; }
      // (import ./health-unit.nix { inherit lib; }).options { inherit httpPort; };

    websocket = listener "websocket" "WebSocket clients, and leaves that come that way";

    mqtt = listener "mqtt" "MQTT clients" // {
      port = listenerPort "mqtt" 1883;
    };

    backup = (import ./backup.nix { inherit lib; }).options { inherit unit; };

    settings = mkOption {
      type = types.attrsOf value;
      default = { };
      example.trusted_keys = [ "OABXN7JFHHV7CU4PGD65YBKXW4V4KTR56O6JYFRWX7SM6BBSABSBQ6LH2" ];
      description = ''
        Fields of nats.conf that have no option of their own, in nats-server's spelling. They are held to
        the same rules; a field that an option owns is refused with that option's name.
      '';
    };

    acknowledged = cimTypes.acknowledged "of the build" {
      "sync-interval services.cim.hub.jetstream.syncInterval" = "every message is in the archive as well";
    };
  }
