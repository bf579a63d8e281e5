# Formatters and linters of the whole tree: `nix fmt`.
{
  projectRootFile = "flake.nix";
  programs = {
    nixfmt.enable = true;
    deadnix.enable = true;
    rustfmt = {
      enable = true;
      edition = "2024";
    };
    taplo.enable = true;
  };
}
