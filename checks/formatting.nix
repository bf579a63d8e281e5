# The tree is formatted, and no Nix binding is unused.
{
  self,
  pkgs,
  treefmt,
  ...
}:
(treefmt pkgs).config.build.check self
