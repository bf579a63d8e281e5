# Every option under services.cim as documentation: what nixosOptionsDoc would list, which needs more of nixpkgs than there is
# here. `cargo xtask golden` makes docs/OPTIONS.md of it.
{
  lib,
  # A host's options, and the modules of the fleet.
  host,
  fleet,
}:
let
  # Text, or Nix that is shown as such.
  shown =
    value:
    if value._type or "" == "literalMD" then { markdown = value.text; } else { nix = value.text; };

  listed = options: lib.filter isOurs (lib.optionAttrSetToDocList options);
  isOurs = option: option.visible && !option.internal && !(lib.elem "_module" option.loc);

  describe = option: {
    inherit (option) loc type description;
    readOnly = option.readOnly;
    default = if option ? default then shown option.default else null;
    example = if option ? example then shown option.example else null;
  };

  ofFleet = lib.evalModules {
    prefix = [
      "services"
      "cim"
      "fleet"
    ];
    modules = [ fleet ];
  };
in
map describe (listed host.services.cim ++ listed (removeAttrs ofFleet.options [ "_module" ]))
