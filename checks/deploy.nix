# deploy-rs's own checks of `deploy.nodes`.
{
  self,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;
in
# The hosts are x86_64; their profiles cannot be looked at from elsewhere.
lib.optionalAttrs (system == "x86_64-linux") (
  inputs.deploy-rs.lib.${system}.deployChecks self.deploy
)
