# Options → spec: plain functions that cut the fleet down to what one instance sees.
#
# The spec has the options' own names and values, nothing derived and no store path; what the generator does
# not need (package, firewall, memory) stays out.
{ lib }:
let
  # Options of every server; hub and leaf share one type in the spec.
  server = options: {
    inherit (options)
      host
      httpPort
      tls
      plaintext
      limits
      lameDuck
      logging
      jetstream
      settings
      ;
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
          inherit (fleet) systemAccount accounts;
          inherit hubs;
          leaves = lib.concatMapAttrs (hub: _: leavesOf hub) hubs;
        };
        hub = {
          server = server options;
          leafnodes = { inherit (options.leafnodes) host tls compression; };
          cluster = { inherit (options.cluster) host tls plaintext; };
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
          accounts = lib.optional (leaf != null && fleet.accounts ? ${leaf.account}) leaf.account;
        };
        leaf = {
          server = server options;
          inherit (options)
            port
            accounts
            leafnodes
            nkeySeedFile
            remotes
            ;
        };
      };
    };

  # The whole fleet, for the analysis over all hosts.
  fleet = fleet: {
    inherit (fleet)
      systemAccount
      accounts
      hubs
      leaves
      ;
  };
}
