{
  description = "NATS hubs and CIM leaf nodes on NixOS: typed options, checked before deploy";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

    sops-nix = {
      url = "github:Mic92/sops-nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };

    # utils (flake-utils), systems and flake-compat keep deploy-rs's own pins;
    # their nodes are in flake.lock as `utils`, `systems` and `flake-compat`.
    deploy-rs = {
      url = "github:serokell/deploy-rs";
      inputs.nixpkgs.follows = "nixpkgs";
    };

    crane.url = "github:ipetkov/crane";

    treefmt-nix = {
      url = "github:numtide/treefmt-nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  # An index: each output is one folder, or one file in it.
  outputs =
    inputs@{ self, nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      forEachSystem =
        make:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: make nixpkgs.legacyPackages.${system});
      crates = pkgs: import ./crates { inherit pkgs inputs; };
      specs = pkgs: import ./hosts/specs.nix { inherit self inputs pkgs; };
      treefmt = pkgs: inputs.treefmt-nix.lib.evalModule pkgs ./checks/treefmt.nix;
    in
    {
      lib = import ./modules/lib.nix { inherit lib self inputs; };
      nixosModules = import ./modules { inherit self; };
      nixosConfigurations = import ./hosts { inherit self inputs; };
      deploy = self.lib.deploy {
        inherit (inputs) deploy-rs;
        hosts = self.nixosConfigurations;
      };
      templates.default = {
        path = ./hosts/template;
        description = "A hub and a leaf on two hosts";
      };
      overlays.default = final: _: (crates final).packages;
      packages = forEachSystem (pkgs: (crates pkgs).packages // { specs = specs pkgs; });
      apps = forEachSystem (pkgs: {
        demo = (crates pkgs).demo (specs pkgs);
      });
      devShells = forEachSystem (pkgs: (crates pkgs).devShells);
      formatter = forEachSystem (pkgs: (treefmt pkgs).config.build.wrapper);
      checks = forEachSystem (
        pkgs:
        import ./checks {
          inherit
            self
            inputs
            pkgs
            treefmt
            ;
        }
      );
    };
}
