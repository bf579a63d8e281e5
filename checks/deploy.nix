# deploy-rs's own checks of `deploy`, and that its targets are all hosts, hubs first.
{
  self,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;

  # By what the hosts run, which is not what `targets` goes by.
  runsHub =
    host:
    lib.any (instance: instance.role == "hub") (lib.attrValues host.config.services.cim.instances);
  hubs = lib.filterAttrs (_: runsHub) self.nixosConfigurations;
  targets = map (lib.removePrefix ".#") (lib.splitString " " self.deploy.targets);
  first = lib.take (lib.length (lib.attrNames hubs)) targets;
  sort = lib.sort (a: b: a < b);

  problem =
    if sort targets != lib.attrNames self.deploy.nodes then
      "they are not deploy.nodes (${toString (lib.attrNames self.deploy.nodes)}), each once"
    else if sort first != lib.attrNames hubs then
      "the hub's nodes (${toString (lib.attrNames hubs)}) are not the first"
    else
      null;
in
# The hosts are x86_64; their profiles cannot be looked at from elsewhere.
lib.optionalAttrs (system == "x86_64-linux") (
  inputs.deploy-rs.lib.${system}.deployChecks self.deploy
  // {
    deploy-order = pkgs.runCommand "deploy-order" { } ''
      ${lib.optionalString (problem != null) ''
        echo ${lib.escapeShellArg "deploy.targets is ${self.deploy.targets}: ${problem}"} >&2
        exit 1
      ''}
      touch "$out"
    '';
  }
)
