{
  description = "A NATS hub and a CIM leaf on two NixOS hosts";

  inputs = {
    cim.url = "github:OWNER/REPOSITORY"; # where this project lives
    nixpkgs.follows = "cim/nixpkgs";
    sops-nix.follows = "cim/sops-nix";
    deploy-rs.follows = "cim/deploy-rs";
  };

  outputs =
    {
      self,
      cim,
      nixpkgs,
      sops-nix,
      deploy-rs,
    }:
    let
      fleet = cim.lib.mkFleet ./fleet.nix;
      host =
        file:
        nixpkgs.lib.nixosSystem {
          modules = [
            cim.nixosModules.default
            sops-nix.nixosModules.sops
            ./base.nix
            file
            {
              nixpkgs.hostPlatform = "x86_64-linux";
              services.cim = { inherit fleet; };
            }
          ];
        };
    in
    # nix run .#identity, .#expiry and .#deploy, and what nix flake check looks at.
    cim.lib.outputs { inherit self fleet; }
    // {
      nixosConfigurations = {
        hub = host ./hub.nix;
        plant-a = host ./plant-a.nix;
      };
      deploy = cim.lib.deploy {
        inherit deploy-rs;
        hosts = self.nixosConfigurations;
      };
    };
}
