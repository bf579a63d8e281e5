# nats-server versions to stay away from whatever is configured: version → what to do. The list is cim-spec's, which holds
# the advisories that depend on the configuration too; cim-render says those.
{ lib }:
let
  advisories = builtins.fromJSON (builtins.readFile ../crates/cim-spec/advisories.json);
in
lib.listToAttrs (
  lib.concatMap (
    advisory:
    map (version: {
      name = version;
      value = "nats-server ${version} ${advisory.what}: ${advisory.help}";
    }) (advisory.versions or [ ])
  ) advisories
)
