# deploy-rs's own checks of `deploy`, that its targets are all hosts, hubs first, and that each passes its gate.
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
  gated = lib.filterAttrs (
    name: _: self.nixosConfigurations.${name}.config.services.cim.gate.enable
  ) self.deploy.nodes;

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
    deploy-gate = pkgs.runCommand "deploy-gate" { } ''
      ${lib.concatMapStrings (node: ''
        if ! grep --quiet /cim-gate ${node.profiles.system.path}/deploy-rs-activate; then
          echo "deploy.nodes: ${node.hostname} is not asked whether it is back" >&2
          exit 1
        fi
      '') (lib.attrValues gated)}
      touch "$out"
    '';
  }
)
