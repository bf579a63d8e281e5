# `services.cim.leaves.<name>`: this host runs that leaf of the fleet; several on a host are normal.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.cim;
  cimTypes = import ./types.nix { inherit lib; };
  spec = import ./spec.nix { inherit lib; };
  fields = import ./fields.nix { inherit lib; };

  given = lib.filter (port: port != null);

  # `[ ]` where the fleet has no such node; the build then says so.
  clusterPorts =
    name: options:
    lib.optional (
      options.node != null && cfg.fleet.leaves ? ${name}.nodes.${options.node}
    ) cfg.fleet.leaves.${name}.nodes.${options.node}.clusterPort;

  # What the fleet says of a leaf; of one that it has not, the build says so.
  declared =
    name:
    cfg.fleet.leaves.${name} or {
      nodes = { };
      remotes = { };
    };

  # The instance's own files, as far as the hub at the other end asks for them: one of this fleet.
  filesFor =
    name: remote:
    let
      hub = cfg.fleet.hubs.${(declared name).remotes.${remote}.hub or ""} or null;
      isAsked = hub.leafnodes.verify || hub.leafnodes.verifyAndMap;
      unasked = lib.optionals (!isAsked) [
        "certFile"
        "keyFile"
      ];
    in
    if hub == null then { } else removeAttrs (cfg.files name) unasked;

  remote =
    leaf:
    types.submodule (
      { name, ... }:
      let
        files = filesFor leaf name;
      in
      {
        options = lib.recursiveUpdate (fields.options { block = "remote"; }) {
          inherit (cimTypes) compression rttThresholds;
          credentialsFile = mkOption {
            type = types.nullOr cimTypes.hostFile;
            default = files.credentialsFile or null;
            defaultText = cimTypes.sealed "credentials";
            example = "/run/secrets/leaf.creds";
            description = ''
              `.creds` file with the leaf's JWT and seed, for a hub in operator mode. nats-server reads it
              again at every dial. `null`: the leaf is known by its nkey or certificate. NATS: `credentials`.
            '';
          };
          tls = mkOption {
            type = types.nullOr (
              cimTypes.tls files "remote" "what the hub's certificate is held against; `null`: the system's."
            );
            default = if files ? caFile then { } else null;
            defaultText = cimTypes.sealed "files";
            example.caFile = "/etc/ssl/certs/cim-ca.pem";
            description = "TLS of the link. `null`: none, which the fleet must say out loud.";
          };
        };
      }
    );

  leaf = types.submodule (
    { name, ... }@leaf:
    let
      isCluster = (declared name).nodes != { };
      files = cfg.files name;
      server = import ./server.nix {
        inherit lib pkgs files;
        inherit (leaf.config) httpPort;
        role = "leaf";
        unit = spec.unitName name;
        host = "127.0.0.1";
        # nats-server's own 2 minutes take 6 to notice a dead hub.
        pingInterval = "10s";
        syncInterval = {
          value = if isCluster then "2m" else "always";
          text = "`always` for a leaf of one server, `2m` in a cluster, where others have a copy";
        };
      };
    in
    {
      options = server // {
        enable = lib.mkEnableOption "this leaf" // {
          default = true;
        };
        node = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "edge-1";
          description = ''
            Which of the leaf's {option}`services.cim.fleet.leaves.<name>.nodes` this host is; its server
            name. `null`: the leaf is one server, of the leaf's name.
          '';
        };
        cluster = import ./cluster.nix {
          inherit lib files;
          what = "the leaf's nodes";
          tls = {
            default =
              if leaf.config.tls == null && isCluster && files ? certFile then
                { }
              else
                cimTypes.files leaf.config.tls;
            defaultText = lib.literalMD "the files of {option}`tls`, or the instance's own, where {option}`services.cim.sops` has them";
          };
        };
        port = mkOption {
          type = types.port;
          default = 4222;
          description = "Port for local clients. NATS: `port`.";
        };
        websocket = server.websocket // {
          port = mkOption {
            type = types.nullOr types.port;
            default = null;
            example = 8080;
            description = "Port of the listener. `null`: none. NATS: `websocket.port`.";
          };
        };
        accounts = mkOption {
          type = types.attrsOf (
            cimTypes.account (_: true) (
              import ./assets.nix {
                inherit lib;
                onLeaf = true;
              }
            )
          );
          example.CIM.users.app.nkey = "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W";
          description = ''
            Accounts of the leaf itself. The one that the fleet names as
            {option}`services.cim.fleet.leaves.<name>.localAccount` is joined with the hub.
          '';
        };
        inherit (cimTypes) authCallout;
        nkeySeedFile = mkOption {
          type = types.nullOr cimTypes.hostFile;
          default = files.nkeySeedFile or null;
          defaultText = cimTypes.sealed "seed";
          example = "/run/secrets/leaf.nk";
          description = ''
            File with the seed of the leaf's nkey, whose public half is in the fleet. `null`: the leaf is
            known by its certificate or a `.creds` file.
          '';
        };
        leafnodes = lib.recursiveUpdate (fields.options { block = "link"; }) {
          reconnect = mkOption {
            type = types.str;
            default = "500ms";
            description = "Delay before each redial, and so how long a fail-over takes; nats-server's own is 1s. NATS: `leafnodes.reconnect`.";
          };
        };
        remotes = mkOption {
          type = types.attrsOf (remote name);
          default = { };
          example.hub.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
          description = ''
            This host's part of each remote that the fleet gives the leaf, by the same name; one of which
            {option}`services.cim.sops` has all files need not be named. NATS: `leafnodes.remotes[]`.
          '';
        };
      };
      config.remotes = lib.mkIf (files ? caFile) (lib.mapAttrs (_: _: { }) (declared name).remotes);
    }
  );
in
{
  options.services.cim.leaves = mkOption {
    type = types.attrsOf leaf;
    default = { };
    description = "CIM instances of this host: leaves of the fleet, by name.";
  };

  config.services.cim.instances = lib.mapAttrs (name: options: {
    inherit options;
    unit = spec.unitName name;
    role = "leaf";
    spec = spec.leaf cfg.fleet name options;
    ports = [
      options.port
      options.httpPort
    ]
    ++ given [
      options.websocket.port
      options.mqtt.port
    ]
    ++ clusterPorts name options;
    openPorts =
      lib.optional options.openFirewall options.port
      ++ lib.optionals options.websocket.openFirewall (given [ options.websocket.port ])
      ++ lib.optionals options.mqtt.openFirewall (given [ options.mqtt.port ])
      ++ lib.optionals options.cluster.openFirewall (clusterPorts name options);
  }) (lib.filterAttrs (_: leaf: leaf.enable) cfg.leaves);
}
