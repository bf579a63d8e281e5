# `services.cim.fleet`: what two ends must agree on. A module of its own, evaluated once by mkFleet.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cimTypes = import ./types.nix { inherit lib; };

  port =
    default: what:
    mkOption {
      type = types.port;
      inherit default;
      description = "TCP port of the node's listener for ${what}.";
    };

  sidePort =
    example: what:
    mkOption {
      type = types.nullOr types.port;
      default = null;
      inherit example;
      description = "TCP port of the node's listener for ${what}. `null`: none.";
    };

  node = types.submodule {
    options = {
      address = mkOption {
        type = types.str;
        example = "hub-1.example.com";
        description = "Host name or IP address at which clients, leaves and the other nodes reach this node.";
      };
      port = port 4222 "clients";
      leafnodesPort = port 7422 "leaf nodes";
      clusterPort = port 6222 "routes";
      websocketPort = sidePort 443 "WebSocket";
      gatewayPort = sidePort 7222 "other hubs; those of the fleet that have one are joined";
    };
  };

  hub = types.submodule (
    { name, ... }:
    {
      options = {
        domain = mkOption {
          type = types.str;
          default = name;
          defaultText = lib.literalMD "the hub's name";
          description = "JetStream domain of the hub. NATS: `jetstream.domain`.";
        };
        nodes = mkOption {
          type = types.attrsOf node;
          example.hub-1.address = "hub-1.example.com";
          description = "Servers of the hub by server name: one, or a cluster of 3 or 5. The cluster's name is the hub's.";
        };
        leafnodes = {
          plaintext = mkOption {
            type = types.bool;
            default = false;
            description = "Says out loud that leaf links to this hub have no TLS: whoever is on the path reads and changes messages.";
          };
          verify = mkOption {
            type = types.bool;
            default = false;
            description = "Whether leaves must present a certificate. NATS: `leafnodes.tls.verify`.";
          };
          verifyAndMap = mkOption {
            type = types.bool;
            default = false;
            description = ''
              Whether leaves are known by their certificate; implies {option}`verify`. NATS:
              `leafnodes.tls.verify_and_map`.
            '';
          };
          isolateInterest = mkOption {
            type = types.nullOr types.bool;
            default = null;
            example = true;
            description = ''
              Whether leaves never learn what other leaves subscribe to. `null`: where no flow goes from leaf to
              leaf; in operator mode nowhere, for a changed flow would restart the hub. It is no security boundary:
              flows are. NATS: `leafnodes.isolate_leafnode_interest`.
            '';
          };
        };
      };
    }
  );

  operator = types.submodule {
    options = {
      jwt = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = lib.literalExpression "lib.fileContents ./operator.jwt";
        description = ''
          JWT of the operator, which is public. `null`: the one in {option}`identity`; no hub builds before it is
          made. NATS: `operator`.
        '';
      };
      resolver = {
        type = mkOption {
          type = types.enum [
            "full"
            "cache"
            "memory"
          ];
          default = "full";
          description = ''
            Where a hub's node keeps accounts' JWTs: `full`, all of them on disk, the same on every node;
            `cache`, those that were asked for; `memory`, only the ones it starts with. NATS: `resolver.type`.
          '';
        };
        allowDelete = mkOption {
          type = types.bool;
          default = false;
          description = "Whether accounts can be deleted over the system account. NATS: `resolver.allow_delete`.";
        };
        limit = mkOption {
          type = types.nullOr types.ints.positive;
          default = null;
          example = 1000;
          description = "Most accounts that are kept. `null`: no limit. NATS: `resolver.limit`.";
        };
        ttl = resolverTime "ttl" "1h" "How long a cache keeps a JWT that nobody asks for.";
        interval = resolverTime "interval" "2m" "How often nodes compare the JWTs that they have.";
        timeout = resolverTime "timeout" "2s" "How long a node waits for another's answer.";
      };
    };
  };
  resolverTime =
    name: example: description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit example;
      description = "${description} `null`: nats-server's own. NATS: `resolver.${name}`.";
    };

  lifetime =
    type: default: description:
    mkOption {
      inherit type default description;
      example = "90d";
    };

  leaf = import ./fleet-leaf.nix {
    inherit lib port;
    inherit (config) hubs;
  };
in
{
  options = {
    systemAccount = mkOption {
      type = types.str;
      default = "SYS";
      description = "Account of the hubs that carries server events. It never crosses a leaf link. NATS: `system_account`.";
    };
    accounts = mkOption {
      type = types.attrsOf (
        cimTypes.account (name: name != config.systemAccount) (import ./assets.nix { inherit lib; })
      );
      example.CIM.users.alchemist.nkey = "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W";
      description = "Accounts of the hubs: subject spaces that share nothing.";
    };
    inherit (cimTypes) authCallout;
    operator = mkOption {
      type = types.nullOr operator;
      default = null;
      example.jwt = lib.literalExpression "lib.fileContents ./operator.jwt";
      description = ''
        Operator mode: the hubs know accounts by JWTs that an operator signed, and users by JWTs that their
        account signed. Every account then has its {option}`nkey` and {option}`jwt`, and every leaf a `.creds`
        file. `null`: accounts and users stand in nats.conf. See
        <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt>.
      '';
    };
    identity = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./identity";
      description = ''
        Folder that `nix run .#identity` writes: public keys, JWTs and certificates, to be committed. What it
        holds is what {option}`operator.jwt`, {option}`accounts.<name>.jwt` and every {option}`nkey` are that
        nobody else set. The sealed files are expected in `secrets`, beside it. `null`: all of that is the
        operator's own affair.
      '';
    };
    hubs = mkOption {
      type = types.attrsOf hub;
      description = "Hubs, by cluster name.";
    };
    leaves = mkOption {
      type = types.attrsOf leaf;
      default = { };
      description = "Leaves, by server name, whether NixOS hosts run them or not.";
    };
    lifetimes = {
      server =
        lifetime types.str "720h"
          "How long certificates of hosts hold, and JWTs of services on them.";
      leaf = lifetime (types.nullOr types.str) "365d" ''
        How long JWTs of leaves hold, and their certificates. `null`: the JWTs do not expire, and certificates
        hold as long as a host's.
      '';
      device = lifetime types.str "168h" "How long certificates of devices hold.";
      user =
        lifetime (types.nullOr types.str) "365d"
          "How long JWTs of users hold. `null`: they do not expire.";
    };
    expiryHorizon = mkOption {
      type = types.str;
      default = "14d";
      example = "30d";
      description = ''
        What ends within this time is renewed by `cim-admin identity make`, and fails the check of expiry until it
        is. No server reads it, nor {option}`lifetimes`.
      '';
    };
    regions = mkOption {
      type = types.attrsOf types.nonEmptyStr;
      default = { };
      example.plant-a = "eu-west-1";
      description = ''
        Where servers are, by their names: the label `region` of what {option}`services.cim.monitoring` reads of them. No server
        reads it.
      '';
    };
    acknowledged = cimTypes.acknowledged "about the fleet" {
      "subject-names services.cim.fleet.leaves.plant-a.exports.\"PLC.>\"" =
        "its controllers send nothing else";
    };
  };

  config.accounts.${config.systemAccount} = { };
}
