# pkgs.formats: the types of structured settings and the files made of them.
{ lib, pkgs }:
let
  inherit (builtins)
    concatStringsSep
    isAttrs
    isList
    toJSON
    ;

  # as `jq .` prints it, which is what nixpkgs runs
  pretty =
    indent: value:
    let
      deeper = indent + "  ";
      block =
        open: close: lines:
        if lines == [ ] then
          open + close
        else
          "${open}\n${concatStringsSep ",\n" (map (line: deeper + line) lines)}\n${indent}${close}";
    in
    if isAttrs value && !(value ? outPath || value ? __toString) then
      block "{" "}" (lib.mapAttrsToList (name: v: "${toJSON name}: ${pretty deeper v}") value)
    else if isList value then
      block "[" "]" (map (pretty deeper) value)
    else
      toJSON value;
  valueType =
    let
      inherit (lib.types)
        attrsOf
        bool
        float
        int
        listOf
        nullOr
        oneOf
        path
        str
        ;
      value =
        nullOr (oneOf [
          bool
          int
          float
          str
          path
          (attrsOf value)
          (listOf value)
        ])
        // {
          description = "JSON value";
        };
    in
    value;
in
{
  json = _settings: {
    type = valueType;
    generate = name: value: pkgs.writeText name (pretty "" value + "\n");
  };
}
