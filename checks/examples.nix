# Every example and the template build: each with its own fleet, rendered and checked by the real nats-server.
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

  template =
    file:
    build (
      lib.nixosSystem {
        modules = [
          self.nixosModules.default
          ../hosts/base.nix
          file
          {
            nixpkgs.hostPlatform = system;
            services.cim.fleet = self.lib.mkFleet ../hosts/template/fleet.nix;
          }
        ];
      }
    );
in
# The examples' hosts are x86_64, as those of hosts/.
lib.optionalAttrs (system == "x86_64-linux") examples
// {
  template-hub = template ../hosts/template/hub.nix;
  template-leaf = template ../hosts/template/plant-a.nix;
}
