# `deploy.nodes` for deploy-rs: every host. Deploy hubs first, so that leaves find them up to date:
# `deploy --targets .#hub-1 .#hub-2 .#hub-3`, then `deploy .`.
{ self, inputs }:
let
  inherit (inputs.nixpkgs) lib;
  node = _: host: {
    hostname = host.config.networking.hostName;
    profiles.system = {
      user = "root";
      path = inputs.deploy-rs.lib.${host.config.nixpkgs.hostPlatform.system}.activate.nixos host;
    };
  };
in
lib.mapAttrs node self.nixosConfigurations
