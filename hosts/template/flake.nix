{
  description = "A NATS hub and a CIM leaf on two NixOS hosts";

  inputs = {
    cim.url = "github:OWNER/REPOSITORY"; # where this project lives
    nixpkgs.follows = "cim/nixpkgs";
  };

  outputs =
    { cim, nixpkgs, ... }:
    let
      host =
        file:
        nixpkgs.lib.nixosSystem {
          modules = [
            cim.nixosModules.default
            ./base.nix
            file
            {
              nixpkgs.hostPlatform = "x86_64-linux";
              services.cim.fleet = cim.lib.mkFleet ./fleet.nix;
            }
          ];
        };
    in
    {
      nixosConfigurations = {
        hub = host ./hub.nix;
        plant-a = host ./plant-a.nix;
      };
    };
}
