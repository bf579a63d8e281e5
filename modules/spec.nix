# Options → spec: plain functions that cut the fleet down to what one instance sees.
#
# The spec has the options' own names and values, nothing derived and no store path; what the generator does
# not need (package, firewall, memory) stays out.
{ lib }:
let
  fields = import ./fields.nix { inherit lib; };
  inherit (import ./asset-spec.nix { inherit lib; }) assets;
  healthUnit = (import ./health-unit.nix { inherit lib; }).options { httpPort = 0; };

  # Named options, and what is set of the fields that pass straight through.
  withFields =
    choice: names: options:
    lib.genAttrs names (name: options.${name}) // { fields = fields.set choice options; };
  part = block: withFields { inherit block; };

  tls =
    context: options:
    lib.mapNullable (withFields
      {
        block = "tls";
        inherit context;
      }
      [
        "certFile"
        "keyFile"
        "caFile"
      ]
    ) options;

  only = names: options: lib.genAttrs names (name: options.${name});

  # Options of every server; hub and leaf share one type in the spec.
  server =
    role: options:
    withFields
      {
        block = "server";
        inherit role;
      }
      [
        "host"
        "httpPort"
        "plaintext"
        "lameDuck"
        "settings"
        "acknowledged"
      ]
      options
    // {
      # Levels; what is only the unit's stays out.
      health = removeAttrs options.health (lib.attrNames healthUnit);
      tls = tls "client" options.tls;
      websocket = listener "websocket" (options.websocket.port or null) options.websocket;
      mqtt = listener "mqtt" options.mqtt.port options.mqtt;
      limits = only [
        "maxConnections"
        "maxSubscriptions"
        "maxPayload"
        "maxPending"
        "maxControlLine"
        "writeDeadline"
        "pingInterval"
        "pingMax"
      ] options.limits;
      logging = only [
        "debug"
        "trace"
        "logtime"
        "connectErrorReports"
        "reconnectErrorReports"
      ] options.logging;
      jetstream = only [
        "enable"
        "storeDir"
        "maxMemoryStore"
        "maxFileStore"
        "syncInterval"
        "encryption"
      ] options.jetstream;
    };

  user = part "user" [
    "nkey"
    "passwordHash"
    "certificate"
    "permissions"
  ];
  account =
    account:
    part "account" [
      "jwt"
      "exports"
      "imports"
      "mappings"
      "defaultPermissions"
    ] account
    // {
      users = lib.mapAttrs (_: user) account.users;
      jetstream = only [
        "enable"
        "maxMemory"
        "maxFile"
      ] account.jetstream;
    };
  accounts = lib.mapAttrs (_: account);

  listener =
    block: port: options:
    part block [ "host" "plaintext" ] options
    // {
      inherit port;
      tls = tls block options.tls;
    };

  # Nodes of the other hubs that have a gateway.
  gateways =
    hubs: fleet:
    lib.filterAttrs (_: nodes: nodes != { }) (
      lib.mapAttrs (_: hub: lib.filterAttrs (_: node: node.gatewayPort != null) hub.nodes) (
        removeAttrs fleet.hubs (lib.attrNames hubs)
      )
    );

  cluster =
    options:
    part "cluster" [ "host" "plaintext" "compression" "rttThresholds" ] options
    // {
      tls = tls "cluster" options.tls;
    };

  dials = hub: leaf: lib.filterAttrs (_: remote: remote.hub == hub) leaf.remotes;
in
{
  # `cim-` and the name without one: unit, user, state directory.
  unitName = name: "cim-${lib.removePrefix "cim-" name}";

  # What one hub server sees: its hub, all accounts, the leaves that dial its hub.
  hub =
    fleet: options:
    let
      hubs = lib.filterAttrs (_: hub: hub.nodes ? ${options.node}) fleet.hubs;
      leavesOf =
        hub:
        lib.filterAttrs (_: leaf: leaf.remotes != { }) (
          lib.mapAttrs (_: leaf: leaf // { remotes = dials hub leaf; }) fleet.leaves
        );
    in
    {
      hub = {
        inherit (options) node;
        natsServerVersion = options.package.version;
        fleet = {
          inherit (fleet)
            systemAccount
            authCallout
            operator
            acknowledged
            ;
          accounts = accounts fleet.accounts;
          inherit hubs;
          leaves = lib.concatMapAttrs (hub: _: leavesOf hub) hubs;
          gateways = gateways hubs fleet;
          # No server restarts for them.
          lifetimes = null;
          expiryHorizon = null;
          # What no hub holds is every hub's, which then says so.
          assets = {
            hubs = lib.attrNames fleet.hubs;
            accounts = assets (
              asset: asset.hub == null || hubs ? ${asset.hub} || !(fleet.hubs ? ${asset.hub})
            ) fleet.accounts;
          };
        };
        hub = {
          server = server "hub" options;
          leafnodes = part "leafnodes" [ "host" "compression" "rttThresholds" ] options.leafnodes // {
            tls = tls "leafnodes" options.leafnodes.tls;
          };
          cluster = cluster options.cluster;
          gateway = part "gateway" [ "host" "plaintext" ] options.gateway // {
            tls = tls "gateway" options.gateway.tls;
          };
        };
      };
    };

  # What one leaf sees: itself and its hubs. No other leaf is in it, so that no other leaf changes it.
  leaf =
    fleet: name: options:
    let
      leaf = fleet.leaves.${name} or null;
      named = lib.optionals (leaf != null) (map (remote: remote.hub) (lib.attrValues leaf.remotes));
    in
    {
      leaf = {
        inherit name;
        natsServerVersion = options.package.version;
        fleet = {
          inherit leaf;
          hubs = lib.filterAttrs (hub: _: lib.elem hub named) fleet.hubs;
          operator = fleet.operator != null;
          accounts = lib.optional (leaf != null && fleet.accounts ? ${leaf.account}) leaf.account;
        };
        leaf = {
          server = server "leaf" options;
          inherit (options)
            node
            port
            nkeySeedFile
            authCallout
            ;
          cluster = cluster options.cluster;
          accounts = accounts options.accounts;
          assets = assets (_: true) options.accounts;
          leafnodes = part "link" [ "reconnect" ] options.leafnodes;
          remotes = lib.mapAttrs (
            _: remote:
            part "remote" [ "compression" "rttThresholds" "credentialsFile" ] remote
            // {
              tls = tls "remote" remote.tls;
            }
          ) options.remotes;
        };
      };
    };

  # The whole fleet, for the analysis over all hosts.
  fleet = fleet: {
    inherit (fleet)
      systemAccount
      authCallout
      operator
      hubs
      leaves
      lifetimes
      expiryHorizon
      acknowledged
      ;
    gateways = { };
    accounts = accounts fleet.accounts;
    assets = {
      hubs = lib.attrNames fleet.hubs;
      accounts = assets (_: true) fleet.accounts;
    };
  };
}
