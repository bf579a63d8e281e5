# `import nixpkgs { … }`: the package set for one system, with overlays applied.
{
  system ? builtins.currentSystem,
  overlays ? [ ],
  lib ? import ./lib,
}:
let
  base =
    final:
    import ./pkgs.nix {
      inherit lib system;
      pkgs = final;
      bin = ./bin;
    };
  withOverlays =
    layers:
    let
      pkgs = lib.fix (lib.foldl' (lib.flip lib.extends) base layers);
    in
    pkgs
    // {
      overlays = layers;
      appendOverlays = more: withOverlays (layers ++ more);
      extend = overlay: withOverlays (layers ++ [ overlay ]);
    };
in
withOverlays overlays
