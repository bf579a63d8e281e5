# The outputs of treefmt-nix that our flake uses.
{
  description = "Stand-in for treefmt-nix: runs the formatters over a tree and fails with the names of the files";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs"; # our own input follows here; never fetched

  outputs = _: {
    lib.evalModule =
      pkgs: configuration:
      pkgs.lib.evalModules {
        modules = [
          ./module.nix
          { _module.args.pkgs = pkgs; }
          configuration
        ];
      };
  };
}
