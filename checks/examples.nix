# Every example builds, with its own fleet, rendered and checked by the real nats-server; the template plans its identity.
{
  self,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;
  build = host: host.config.system.build.toplevel;

  examples = lib.concatMapAttrs (
    example: hosts:
    lib.mapAttrs' (host: made: lib.nameValuePair "example-${example}-${host}" (build made)) hosts
  ) (import ../hosts/examples { inherit self inputs; });

  # As an operator's flake, before his identity is made.
  template =
    (import ../hosts/template/flake.nix).outputs {
      self = template;
      cim = self;
      inherit (inputs) deploy-rs nixpkgs sops-nix;
    }
    // {
      inherit (self) lastModified;
    };
in
# The examples' hosts are x86_64, as those of hosts/.
lib.optionalAttrs (system == "x86_64-linux") examples
// {
  # Its hosts build when that is made, which needs keys; what it is made of is known before.
  template-plan = template.packages.${system}.identity-plan;
}
