# Option types for what an account's JetStream holds: streams with their consumers, key-value buckets, object stores.
#
# Fields are rows of crates/cim-spec/assets; here is what they have beside them.
{
  lib,
  # On a leaf, which makes its own; else of the fleet, whose hubs do.
  onLeaf ? false,
}:
let
  inherit (lib) mkOption types;
  fields = import ./fields.nix { inherit lib; };

  text =
    example: description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit example description;
    };

  allowDataLoss.allowDataLoss = text "9f86d081884c-5-20" ''
    Consent to one change that costs messages: the plan id that `cim-provision plan` prints for it. It is good for that
    very change, once; it ends with how many messages are at stake and the stream's last sequence. `null`: a change that
    would cost messages is refused.
  '';

  hub = lib.optionalAttrs (!onLeaf) {
    hub = text "hub" "The hub that holds it. `null`: the fleet's only one.";
  };

  asset =
    block: more:
    types.submodule {
      options = lib.foldl' lib.recursiveUpdate { } [
        (fields.options { inherit block; })
        allowDataLoss
        more
      ];
    };

  source =
    what:
    types.submodule {
      options = lib.recursiveUpdate (fields.options { block = "source"; }) {
        name = mkOption {
          type = types.str;
          example = if what == "bucket" then "settings" else "EVENTS";
          description = "Name of the ${what} that is copied.";
        };
        leaf = text "cim-prod-001" ''
          The leaf that has it, in its JetStream domain; {option}`services.cim.fleet.leaves.<name>.streams` lets it cross.
          `null`: no leaf.
        '';
        hub = text "hub" "The hub that has it, in its JetStream domain. `null`: this server, or {option}`leaf`.";
      };
    };

  copies = what: {
    mirror = mkOption {
      type = types.nullOr (source what);
      default = null;
      example = {
        name = if what == "bucket" then "settings" else "EVENTS";
        leaf = "cim-prod-001";
      };
      description = "The ${what} that this one copies, sequences included. `null`: none. NATS: `mirror`.";
    };
    sources = mkOption {
      type = types.listOf (source what);
      default = [ ];
      example = [
        {
          name = if what == "bucket" then "settings" else "EVENTS";
          leaf = "cim-prod-001";
        }
      ];
      description = "The ${what}s that this one collects. NATS: `sources`.";
    };
  };

  stream = asset "stream" (
    hub
    // copies "stream"
    // {
      longestPartition = text "7d" ''
        How long the link may be cut over which this stream is read or filled: it must hold what comes in meanwhile.
        `null`: not said, and not checked.
      '';
      rate = text "1MiB" "Bytes that come in each second at most, against {option}`longestPartition`. `null`: not said.";
      consumers = mkOption {
        type = types.attrsOf (asset "consumer" { });
        default = { };
        example.graph-processor = {
          ackPolicy = "explicit";
          filterSubject = "domain.graph.events.>";
        };
        description = "Durable consumers of the stream, by name.";
      };
    }
  );
in
{
  streams = mkOption {
    type = types.attrsOf stream;
    default = { };
    example.EVENTS.subjects = [ "domain.*.events.>" ];
    description = "Streams of the account, by name. See <https://docs.nats.io/nats-concepts/jetstream/streams>.";
  };
  kv = mkOption {
    type = types.attrsOf (asset "kv" (hub // copies "bucket"));
    default = { };
    example.settings.history = 5;
    description = "Key-value buckets of the account, by name. See <https://docs.nats.io/nats-concepts/jetstream/key-value-store>.";
  };
  objectStores = mkOption {
    type = types.attrsOf (asset "object-store" hub);
    default = { };
    example.models.maxBytes = "2GiB";
    description = "Object stores of the account, by name. See <https://docs.nats.io/nats-concepts/jetstream/obj_store>.";
  };
}
