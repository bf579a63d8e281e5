# Every host builds: its instances rendered and checked by the real nats-server.
{
  self,
  lib,
  pkgs,
  ...
}:
lib.mapAttrs' (name: host: lib.nameValuePair "host-${name}" host.config.system.build.toplevel) (
  lib.filterAttrs (
    _: host: host.config.nixpkgs.hostPlatform.system == pkgs.stdenv.hostPlatform.system
  ) self.nixosConfigurations
)
