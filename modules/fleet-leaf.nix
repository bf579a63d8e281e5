# A leaf of `services.cim.fleet`, as fleet.nix lists them: who it is, what crosses its links, and to which hubs they go.
{
  lib,
  # An option for a node's port: its default, and for whom it is.
  port,
  # The fleet's hubs.
  hubs,
}:
let
  inherit (lib) mkOption types;

  flow = import ./flow.nix { inherit lib; };

  streams =
    what: when:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "EVENTS" ];
      description = ''
        Streams ${what}, by their names on the server (a bucket's is `KV_` and its name): ${when}. The leaf's user gets the
        rights that this needs over JetStream's API, and no others.
      '';
    };

  leafNode = types.submodule {
    options = {
      address = mkOption {
        type = types.str;
        example = "10.0.0.1";
        description = "Host name or IP address at which the leaf's other nodes reach this one.";
      };
      clusterPort = port 6222 "routes";
    };
  };
in
types.submodule (
  { name, ... }@leaf:
  {
    options = {
      account = mkOption {
        type = types.str;
        example = "CIM";
        description = "Account of the hub that the leaf's links are bound to.";
      };
      localAccount = mkOption {
        type = types.str;
        default = leaf.config.account;
        defaultText = lib.literalMD "{option}`account`";
        description = "Account of the leaf that its links are bound to. NATS: `remotes[].account`.";
      };
      domain = mkOption {
        type = types.str;
        default = name;
        defaultText = lib.literalMD "the leaf's name";
        description = "JetStream domain of the leaf.";
      };
      nodes = mkOption {
        type = types.attrsOf leafNode;
        default = { };
        example.edge-1.address = "10.0.0.1";
        description = ''
          Servers of a leaf that is a cluster, by server name: 3 or 5, each on a host of its own. They share
          the leaf's identity and domain, and the cluster has the leaf's name. Empty: one server, of the
          leaf's name.
        '';
      };
      nkey = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W";
        description = ''
          Public nkey by which the hub knows the leaf; the seed is on the leaf, in
          {option}`services.cim.leaves.<name>.nkeySeedFile`. `null`: not known by an nkey.
        '';
      };
      certificate = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "CN=cim-prod-002";
        description = ''
          Name in the leaf's certificate by which the hub knows it: an e-mail, DNS or URI name of the
          certificate, or its subject. `null`: not known by its certificate.
        '';
      };
      imports = mkOption {
        type = types.listOf flow;
        default = [ ];
        example = [
          "global.events.>"
          {
            subject = "commands.>";
            prefix = "hub";
          }
        ];
        description = "Subjects that may cross from the hub to the leaf. Nothing else does.";
      };
      exports = mkOption {
        type = types.listOf flow;
        default = [ ];
        example = [ "metrics.>" ];
        description = "Subjects that may cross from the leaf to the hub. Nothing else does.";
      };
      streams = {
        toHub = streams "of the leaf that its hubs may copy" "a mirror or source of a hub's stream names this leaf";
        toLeaf = streams "of its hubs that the leaf may copy" "a mirror or source of the leaf's stream names a hub";
      };
      remotes = mkOption {
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options = {
                hub = mkOption {
                  type = types.str;
                  default = name;
                  defaultText = lib.literalMD "the remote's name";
                  description = "The hub that the leaf dials, through any of its nodes.";
                };
                websocket = mkOption {
                  type = types.bool;
                  default = false;
                  description = "Whether the link goes over the hub's WebSocket port, through proxies that pass no other.";
                };
              };
            }
          )
        );
        default = lib.mapAttrs (_: _: { }) hubs;
        defaultText = lib.literalMD "one for each hub";
        example.hub = { };
        description = "The leaf's links, by name.";
      };
    };
  }
)
