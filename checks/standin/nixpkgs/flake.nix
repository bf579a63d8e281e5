# The outputs of nixpkgs that our flake uses.
{
  description = "Stand-in for nixpkgs, for checks where nixpkgs cannot be fetched; see ../README.md";

  outputs =
    _:
    let
      lib = import ./lib;
      nixosSystem = import ./nixos/system.nix { inherit lib; };
    in
    {
      lib = lib // {
        inherit nixosSystem;
      };
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
        system: import ./. { inherit system; }
      );
    };
}
