# Option types that several places share: files on the host, TLS, users, accounts.
{ lib }:
let
  inherit (lib) mkOption types;
  fields = import ./fields.nix { inherit lib; };

  inStore = text: builtins.match ".*/nix/store/[a-z0-9]{32}-.*" text != null;

  # A file that is put on the host at run time. A store path is world-readable.
  hostFile = types.addCheck (types.strMatching "/[^\n]*") (path: !(inStore path)) // {
    description = "absolute path of a file on the host, outside the Nix store";
  };

  # For systemd, which knows nothing of what the generator reads.
  wholeSeconds = types.strMatching "[1-9][0-9]{0,5}[smh]" // {
    description = "time in whole seconds, minutes or hours, for example \"30s\"";
  };

  subjects = types.listOf types.str;

  access =
    what:
    types.submodule {
      options = {
        allow = mkOption {
          type = subjects;
          default = [ ">" ];
          example = [ "domain.>" ];
          description = "Subjects that the user may ${what}. The empty list allows nothing.";
        };
        deny = mkOption {
          type = subjects;
          default = [ ];
          example = [ "domain.secret.>" ];
          description = "Subjects that the user may not ${what} although `allow` covers them.";
        };
      };
    };

  responses = types.submodule {
    options = {
      max = mkOption {
        type = types.ints.positive;
        default = 1;
        description = "Answers to one request.";
      };
      expires = mkOption {
        type = types.str;
        default = "2m";
        description = "How long after the request answers may come.";
      };
    };
  };

  permissions = types.submodule {
    options = {
      publish = mkOption {
        type = access "publish to";
        default = { };
        description = "What the user may publish.";
      };
      subscribe = mkOption {
        type = access "subscribe to";
        default = { };
        description = "What the user may receive.";
      };
      allowResponses = mkOption {
        type = types.coercedTo types.bool (yes: if yes then { } else null) (types.nullOr responses);
        default = null;
        example = true;
        description = ''
          Whether and how often the user may answer a request that it receives, wherever the reply goes;
          `true`: once. `null` or `false`: only where `publish` allows it. NATS: `allow_responses`.
        '';
      };
    };
  };

  user = types.submodule {
    options = lib.recursiveUpdate (fields.options { block = "user"; }) {
      nkey = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W";
        description = ''
          Public nkey of the user; its seed stays with the user. `null`: the user is known by its
          {option}`passwordHash` or {option}`certificate`.
        '';
      };
      passwordHash = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
        description = ''
          bcrypt hash of the user's password, as `nats server passwd` prints it. `null`: the user is
          known by its {option}`nkey` or {option}`certificate`.
        '';
      };
      certificate = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "CN=device-0001.device.example.com";
        description = ''
          Name in the user's certificate by which the server knows it: an e-mail, DNS or URI name of the
          certificate, or its subject. Every listener that the user may come by has
          {option}`tls.verifyAndMap`. `null`: not known by its certificate.
        '';
      };
      permissions = mkOption {
        type = types.nullOr permissions;
        default = null;
        example.publish.allow = [ "domain.>" ];
        description = ''
          What the user may do. `null`: what the account's {option}`defaultPermissions` say. See
          <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization>.
        '';
      };
    };
  };

  # Of an option that has a file without being told, see sops.nix.
  sealed =
    what: lib.literalMD "the instance's ${what}, where {option}`services.cim.sops` has it, or `null`";
in
{
  inherit
    hostFile
    sealed
    user
    wholeSeconds
    ;

  # The files of a TLS option, without the fields that are for its own connection.
  files = lib.mapNullable (tls: {
    inherit (tls) certFile keyFile caFile;
  });

  authCallout = mkOption {
    type = types.nullOr (
      types.submodule {
        options = {
          issuer = mkOption {
            type = types.str;
            example = "ABXN7JFHHV7CU4PGD65YBKXW4V4KTR56O6JYFRWX7SM6BBSABSBQ6LH2";
            description = "Public account nkey whose signature on an answer counts; the service has its seed.";
          };
          account = mkOption {
            type = types.str;
            example = "AUTH";
            description = "Account in which the service answers; it needs a user there.";
          };
          xkey = mkOption {
            type = types.nullOr types.str;
            default = null;
            example = "XAB3NANV3M6N7AHSQP2U5FRWKKUT7EG2ZXXABV4XVXYQRJGM4S2CZGHT";
            description = "Public curve key that requests are encrypted for. `null`: they are not.";
          };
          allowedAccounts = mkOption {
            type = types.listOf types.str;
            default = [ ];
            example = [ "DEVICES" ];
            description = ''
              Accounts whose clients the service is asked about. It does not bind the answers: one that names
              another account is taken all the same (nats-server 2.15.1). Empty: all.
            '';
          };
        };
      }
    );
    default = null;
    description = ''
      A service that is asked about clients which no account knows, for registries that change by
      themselves; users and leaves that are declared log in without it. What an answer says of limits,
      source addresses and connection types nats-server does not enforce: put that on the account.
      `null`: unknown clients are refused. NATS: `authorization.auth_callout`, see
      <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout>.
    '';
  };

  # `jetstreamByDefault`: whether the account has JetStream unless it says otherwise; `assets`: what it may hold.
  account =
    jetstreamByDefault: assets:
    types.submodule (
      { name, ... }:
      {
        options = lib.recursiveUpdate (fields.options { block = "account"; }) {
          inherit (assets) streams kv objectStores;
          jwt = mkOption {
            type = types.nullOr types.str;
            default = null;
            example = lib.literalExpression "lib.fileContents ./CIM.jwt";
            description = ''
              The account's JWT, which is public, in operator mode: the hubs start with it. `null`: the account
              stands in nats.conf.
            '';
          };
          users = mkOption {
            type = types.attrsOf user;
            default = { };
            example.app.nkey = "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W";
            description = "Who may log in, by name.";
          };
          inherit (import ./sharing.nix { inherit lib; }) exports imports mappings;
          defaultPermissions = mkOption {
            type = types.nullOr permissions;
            default = null;
            example.publish.allow = [ "domain.>" ];
            description = "What users may do who have no permissions of their own. `null`: everything.";
          };
          jetstream = {
            enable = mkOption {
              type = types.bool;
              default = jetstreamByDefault name;
              defaultText = lib.literalMD "`true`, but on the system account";
              description = "Whether the account may use JetStream, where the server has it.";
            };
            maxMemory = mkOption {
              type = types.nullOr types.str;
              default = null;
              example = "64MiB";
              description = "Memory reserved for the account on each server. `null`: no limit of its own.";
            };
            maxFile = mkOption {
              type = types.nullOr types.str;
              default = null;
              example = "10GiB";
              description = "Disk reserved for the account on each server. `null`: no limit of its own.";
            };
          };
        };
      }
    );

  # `files`: what there is for this instance without being named, see sops.nix. `context`: client, cluster, leafnodes,
  # remote, …: not every field makes sense on every connection. `caFor` says what the CA file is held against.
  tls =
    files: context: caFor:
    types.submodule {
      options =
        lib.recursiveUpdate
          (fields.options {
            block = "tls";
            inherit context;
          })
          {
            certFile = mkOption {
              type = types.nullOr hostFile;
              default = files.certFile or null;
              defaultText = sealed "certificate";
              example = "/run/secrets/server.pem";
              description = "Certificate with its chain, PEM. Routes and leaf links need one for both server and client use.";
            };
            keyFile = mkOption {
              type = types.nullOr hostFile;
              default = files.keyFile or null;
              defaultText = sealed "key";
              example = "/run/secrets/server.key";
              description = "Private key of the certificate, PEM, readable by the instance's user.";
            };
            caFile = mkOption {
              type = types.nullOr hostFile;
              default = files.caFile or null;
              defaultText = sealed "authority";
              example = "/etc/ssl/certs/cim-ca.pem";
              description = "Certificates of authorities, PEM: ${caFor}";
            };
          };
    };

  # `which` warnings there are, after the word.
  acknowledged =
    which: example:
    mkOption {
      type = types.attrsOf types.nonEmptyStr;
      default = { };
      inherit example;
      description = ''
        Warnings ${which} that are kept, by their text as `to keep it:` shows it, and why. One that is not
        given any more is a warning itself. See `docs/rules.md`.
      '';
    };

  rttThresholds = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [
      "10ms"
      "50ms"
      "100ms"
    ];
    description = ''
      Round-trip times from which `s2_auto` compresses more: not at all below the first, then fast, better
      and best. Empty: nats-server's own, 10, 50 and 100 ms. NATS: `compression.rtt_thresholds`.
    '';
  };

  compression = mkOption {
    type = types.str;
    default = "s2_auto";
    example = "s2_better";
    description = ''
      How this end compresses what it sends over the leaf link: `off`, `accept`, `s2_fast`,
      `s2_better`, `s2_best`, `s2_uncompressed`, or `s2_auto`, which chooses by round-trip time. See
      <https://docs.nats.io/running-a-nats-service/configuration/leafnodes>.
    '';
  };
}
