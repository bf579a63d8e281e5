# The outputs of sops-nix that our flake uses.
{
  description = "Stand-in for sops-nix: the options and assertions, no decryption";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs"; # our own input follows here; never fetched

  outputs = _: {
    nixosModules = rec {
      sops = ./module.nix;
      default = sops;
    };
  };
}
