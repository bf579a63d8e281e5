# `services.cim.hub`: this host runs that node of a hub.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.cim.hub;
  inherit (config.services.cim) fleet;
  cimTypes = import ./types.nix { inherit lib; };
  spec = import ./spec.nix { inherit lib; };
  fields = import ./fields.nix { inherit lib; };
  unit = spec.unitName cfg.node;
  files = config.services.cim.files cfg.node;

  # `[ ]` where the fleet has no such node; the build then says so.
  ofThisNode = lib.filter (hub: hub.nodes ? ${cfg.node}) (lib.attrValues fleet.hubs);
  ports = map (hub: hub.nodes.${cfg.node}) ofThisNode;
  isCluster = lib.any (hub: lib.length (lib.attrNames hub.nodes) > 1) ofThisNode;

  given = lib.filter (port: port != null);

  listenerHost = mkOption {
    type = types.str;
    default = "0.0.0.0";
    description = "Address that the listener binds to.";
  };
  openFirewall =
    what:
    mkOption {
      type = types.bool;
      default = false;
      description = "Whether to open the port for ${what} in the firewall.";
    };
  clientFiles = {
    # The fields differ with the connection; the files need not.
    default = cimTypes.files cfg.tls;
    defaultText = lib.literalMD "the files of {option}`services.cim.hub.tls`";
  };
  listenerTls =
    context: what: ca:
    mkOption (
      clientFiles
      // {
        type = types.nullOr (cimTypes.tls files context ca);
        description = "TLS of ${what}. `null`: none.";
      }
    );
in
{
  options.services.cim.hub =
    import ./server.nix {
      inherit
        lib
        pkgs
        unit
        files
        ;
      inherit (cfg) httpPort;
      role = "hub";
      host = "0.0.0.0";
      pingInterval = "20s";
      syncInterval = {
        value = if isCluster then "2m" else "always";
        text = "`always` for a hub of one node, `2m` in a cluster, where other nodes have a copy";
      };
    }
    // {
      enable = lib.mkEnableOption "a node of a NATS hub";
      node = mkOption {
        type = types.str;
        default = config.networking.hostName;
        defaultText = lib.literalExpression "config.networking.hostName";
        description = "Which node of the fleet this is; its server name.";
      };
      services = mkOption {
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options = lib.genAttrs [ "provision" "backup" "health" ] (service: {
                credentialsFile = mkOption {
                  type = types.nullOr cimTypes.hostFile;
                  default = if files ? services then "${files.services}.${name}.${service}.creds" else null;
                  defaultText = lib.literalMD "the instance's own, where {option}`services.cim.sops` has it";
                  example = "/run/secrets/cim-hub-1.CIM.${service}.creds";
                  description = ''
                    `.creds` file with which `cim-${service}` logs in to the account, in operator mode. `null`: none. The instance's
                    user reads it too: `cim-health` and the expiry timer say when it ends.
                  '';
                };
              });
            }
          )
        );
        default = { };
        description = ''
          How programs that work in an account log in, by account. Static accounts need none: the host makes a key when
          the server starts, and nothing of it is left when it stops.
        '';
      };
      leafnodes = lib.recursiveUpdate (fields.options { block = "leafnodes"; }) {
        host = listenerHost;
        openFirewall = openFirewall "leaf nodes";
        tls =
          listenerTls "leafnodes" "the leaf link"
            "what leaves' certificates are held against, where the fleet has them verified.";
        inherit (cimTypes) compression rttThresholds;
      };
      cluster = import ./cluster.nix {
        inherit lib files;
        what = "the hub's nodes";
        tls = clientFiles;
      };
      gateway = lib.recursiveUpdate (fields.options { block = "gateway"; }) {
        host = listenerHost;
        openFirewall = openFirewall "other hubs";
        tls =
          listenerTls "gateway" "gateways, verified on both ends"
            "what the other hubs' certificates are held against.";
        plaintext = mkOption {
          type = types.bool;
          default = false;
          description = "Says out loud that hubs speak to each other without TLS.";
        };
      };
    };

  config = lib.mkIf cfg.enable {
    services.cim.hub.services = lib.mkIf (fleet.operator != null) (
      lib.mapAttrs (_: _: { }) (
        lib.filterAttrs (
          name: account:
          account.jetstream.enable || lib.any (leaf: leaf.account == name) (lib.attrValues fleet.leaves)
        ) fleet.accounts
      )
    );
    services.cim.instances.${cfg.node} = {
      inherit unit;
      options = cfg;
      role = "hub";
      spec = spec.hub fleet cfg;
      ports = [
        cfg.httpPort
      ]
      ++ lib.concatMap (
        node:
        [
          node.port
          node.leafnodesPort
        ]
        ++ lib.optional isCluster node.clusterPort
        ++ given [
          node.websocketPort
          node.gatewayPort
        ]
      ) ports
      ++ given [ cfg.mqtt.port ];
      openPorts =
        lib.concatMap (
          node:
          lib.optional cfg.openFirewall node.port
          ++ lib.optional cfg.leafnodes.openFirewall node.leafnodesPort
          ++ lib.optional (cfg.cluster.openFirewall && isCluster) node.clusterPort
          ++ lib.optionals cfg.websocket.openFirewall (given [ node.websocketPort ])
          ++ lib.optionals cfg.gateway.openFirewall (given [ node.gatewayPort ])
        ) ports
        ++ lib.optionals cfg.mqtt.openFirewall (given [ cfg.mqtt.port ]);
    };
  };
}
