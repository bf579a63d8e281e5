# Types whose values are modules: submodules that are evaluated here, and modules kept for later.
lib:
let
  inherit (builtins) attrNames isAttrs removeAttrs;
  inherit (lib) isFunction showOption types;
  inherit (import ./core.nix lib)
    forceOptions
    forceValue
    mkOptionType
    simple
    ;
  looksLikeModule = x: isAttrs x || isFunction x || types.path.check x;
in
rec {
  submodule =
    modules:
    submoduleWith {
      shorthandOnlyDefinesConfig = true;
      modules = lib.toList modules;
    };

  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? null,
      class ? null,
    }@arguments:
    let
      # the name an option tree shows where there is no value yet
      placeholder = {
        _module.args.name = lib.mkOptionDefault "‹name›";
      };
      base = lib.evalModules {
        inherit specialArgs class;
        modules = [ placeholder ] ++ modules;
      };
      documented = base.extendModules { modules = [ { _module.check = lib.mkForce false; } ]; };
      inherit (documented._module) freeformType;
      asModule =
        def:
        {
          _file = def.file;
        }
        // (
          if isAttrs def.value && shorthandOnlyDefinesConfig then
            { config = def.value; }
          else
            { imports = [ def.value ]; }
        );
      evaluate =
        loc: defs:
        base.extendModules {
          prefix = loc;
          modules = [ { _module.args.name = lib.last loc; } ] ++ map asModule defs;
        };
    in
    mkOptionType {
      name = "submodule";
      description =
        if description != null then
          description
        else if freeformType ? description then
          "open submodule of ${simple freeformType}"
        else
          "submodule";
      check = looksLikeModule;
      merge = loc: defs: (evaluate loc defs).config;
      force =
        loc: defs:
        let
          evaluation = evaluate loc defs;
        in
        forceOptions evaluation.options
        && forceValue (removeAttrs evaluation.config (attrNames evaluation.options));
      emptyValue.value = base.config;
      getSubOptions = prefix: (documented.extendModules { inherit prefix; }).options;
      getSubModules = modules;
      substSubModules = replaced: submoduleWith (arguments // { modules = replaced; });
      nestedTypes = lib.optionalAttrs (freeformType != null) { inherit freeformType; };
      payload = {
        inherit
          modules
          specialArgs
          shorthandOnlyDefinesConfig
          description
          class
          ;
      };
      typeMerge =
        other:
        submoduleWith {
          modules = modules ++ other.payload.modules;
          specialArgs = specialArgs // other.payload.specialArgs;
          shorthandOnlyDefinesConfig = shorthandOnlyDefinesConfig || other.payload.shorthandOnlyDefinesConfig;
          description = if description != null then description else other.payload.description;
          class = if class != null then class else other.payload.class;
        };
    };

  deferredModule = mkOptionType {
    name = "deferredModule";
    description = "module";
    descriptionClass = "noun";
    check = looksLikeModule;
    merge = loc: defs: {
      imports = map (
        def: lib.setDefaultModuleLocation "${def.file}, via option ${showOption loc}" def.value
      ) defs;
    };
    force = _loc: _defs: true;
  };
}
