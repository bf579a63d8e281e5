# evalModules: option declarations and definitions become a configuration.
lib:
let
  inherit (builtins)
    all
    attrNames
    concatMap
    filter
    foldl'
    head
    isAttrs
    length
    mapAttrs
    removeAttrs
    seq
    typeOf
    zipAttrsWith
    ;
  inherit (lib)
    isOption
    mkOption
    optionalAttrs
    pushDownProperties
    showFiles
    showOption
    types
    ;
  inherit (lib.options) showDefs;
  inherit (import ./types/core.nix lib) mergeTypes;

  # the module that every evaluation starts with
  internalModule = arguments: {
    _file = "<standin/lib/evaluation.nix>";
    key = "<standin/lib/evaluation.nix>";
    options._module = {
      args = mkOption {
        type = types.lazyAttrsOf types.raw;
        default = { };
        internal = true;
        description = "Additional arguments passed to each module.";
      };
      check = mkOption {
        type = types.bool;
        default = true;
        internal = true;
        description = "Whether to check that every definition belongs to an option.";
      };
      freeformType = mkOption {
        type = types.nullOr types.optionType;
        default = null;
        internal = true;
        description = "The type of definitions that belong to no option.";
      };
      specialArgs = mkOption {
        type = types.raw;
        readOnly = true;
        internal = true;
        description = "The specialArgs of this evaluation.";
      };
    };
    config._module.args = arguments;
  };

  splitByName =
    whatIsWrong: entries:
    zipAttrsWith (_: values: values) (
      map (
        entry:
        if isAttrs entry.value then
          mapAttrs (_: value: {
            inherit (entry) file;
            inherit value;
          }) entry.value
        else
          throw (whatIsWrong entry)
      ) entries
    );

  # one level of the option tree and, where there is no option yet, the levels below
  mergeLevel =
    prefix: declarations: definitions:
    let
      declared = splitByName (
        entry:
        "In `${entry.file}': the options at `${showOption prefix}' must be a set, not ${typeOf entry.value}."
      ) declarations;
      defined = splitByName (
        entry:
        "The option path `${showOption prefix}' is an attribute set of options, but it is defined to not be an attribute set in ${showFiles [ entry.file ]}. Did you define its value at the correct and complete path?"
      ) definitions;
      one =
        name: entries:
        let
          loc = prefix ++ [ name ];
          defs = defined.${name} or [ ];
          options = filter (entry: isOption entry.value) entries;
          nested = length options < length entries;
          takesOptions = entry: entry.value.type.getSubModules or null != null;
          # options declared below an option whose type is a submodule belong to that submodule
          asOption =
            entry:
            if isOption entry.value then
              entry
            else
              entry
              // {
                value = mkOption {
                  type = types.submoduleWith {
                    modules = [
                      {
                        _file = entry.file;
                        options = entry.value;
                      }
                    ];
                  };
                };
              };
        in
        if !nested then
          { option = evaluateOption loc (mergeDeclarations loc entries) defs; }
        else if options == [ ] then
          { level = mergeLevel loc entries (concatMap pushDown defs); }
        else if all takesOptions options then
          { option = evaluateOption loc (mergeDeclarations loc (map asOption entries)) defs; }
        else
          throw "The option `${showOption loc}' in ${
            showFiles (map (entry: entry.file) options)
          } would be a parent of the following options, but its type `${
            (head options).value.type.description or "<no description>"
          }' does not support nested options.";
      results = mapAttrs one declared;
      unknown = removeAttrs defined (attrNames declared);
    in
    {
      options = mapAttrs (_: result: result.option or result.level.options) results;
      config = mapAttrs (
        _: result: if result ? option then result.option.value else result.level.config
      ) results;
      unmatched =
        concatMap (
          name:
          map (def: {
            path = [ name ];
            inherit (def) file value;
          }) unknown.${name}
        ) (attrNames unknown)
        ++ concatMap (
          name: map (def: def // { path = [ name ] ++ def.path; }) (results.${name}.level.unmatched or [ ])
        ) (attrNames results);
    };
  pushDown =
    def:
    map (value: {
      inherit (def) file;
      inherit value;
    }) (pushDownProperties def.value);

  mergeDeclarations =
    loc: entries:
    foldl'
      (
        merged: entry:
        let
          option = entry.value;
          twice = filter (field: merged ? ${field} && option ? ${field}) [
            "default"
            "example"
            "description"
            "apply"
          ];
          bothTyped = merged ? type && option ? type;
          type = mergeTypes merged.type option.type;
        in
        if twice != [ ] || (bothTyped && type == null) then
          throw "The option `${showOption loc}' in `${entry.file}' is already declared in ${showFiles merged.declarations}."
        else
          option
          // merged
          // optionalAttrs bothTyped { inherit type; }
          // {
            declarations = merged.declarations ++ [ entry.file ];
          }
      )
      {
        inherit loc;
        declarations = [ ];
      }
      entries;

  evaluateOption =
    loc: option: definitions:
    let
      type = option.type or types.unspecified;
      default = {
        file = head option.declarations;
        value = lib.mkOptionDefault option.default;
      };
      all' = lib.optional (option ? default) default ++ definitions;
      merged = lib.mergeDefinitions loc type all';
      checked =
        if option.readOnly or false && length all' > 1 then
          throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs all'}"
        else
          merged.mergedValue;
      value = builtins.addErrorContext "while evaluating the option `${showOption loc}':" (
        if option ? apply then option.apply checked else checked
      );
    in
    option
    // {
      inherit loc type value;
      inherit (merged) isDefined highestPrio;
      forced = !merged.isDefined || (merged.forced && seq value true);
      definitions = map (def: def.value) merged.defsFinal;
      definitionsWithLocations = merged.defsFinal;
      files = map (def: def.file) merged.defsFinal;
      __toString = _: showOption loc;
    };
in
{

  evalModules =
    {
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
    }@evaluation:
    let
      args = {
        inherit lib config specialArgs;
        inherit (tree) options;
        _class = class;
        _prefix = prefix;
      }
      // specialArgs;
      ordered = lib.modules.collectModules class (specialArgs.modulesPath or "") args (
        [
          (internalModule { inherit extendModules moduleType; })
          {
            _file = "<specialArgs>";
            _module.specialArgs = specialArgs;
          }
        ]
        ++ modules
      );
      tree =
        mergeLevel prefix
          (map (module: {
            inherit (module) file;
            value = module.options;
          }) ordered)
          (
            concatMap (
              module:
              pushDown {
                inherit (module) file;
                value = module.config;
              }
            ) ordered
          );

      declared = tree.config;
      freeformType = declared._module.freeformType;
      freeformDefs = map (def: {
        inherit (def) file;
        value = lib.setAttrByPath def.path def.value;
      }) tree.unmatched;
      freeform = if freeformDefs == [ ] then { } else freeformType.merge prefix freeformDefs;
      merged = if freeformType == null then declared else lib.recursiveUpdate freeform declared;

      unmatched = head tree.unmatched;
      misplaced = attrNames tree.options == [ "_module" ];
      everyDefinitionHasAnOption =
        if freeformType != null || tree.unmatched == [ ] || !declared._module.check then
          true
        else
          throw (
            "The option `${
              showOption (prefix ++ unmatched.path)
            }' does not exist. Definition values:${showDefs [ unmatched ]}"
            + lib.optionalString misplaced "\n\nIt seems as if you're trying to declare an option by placing it into `config' rather than `options'!"
          );
      checked = seq everyDefinitionHasAnOption;

      # what modules see has `_module`, what the caller gets does not
      config = checked (removeAttrs merged [ "_module" ]) // {
        inherit (declared) _module;
      };
      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? evaluation.prefix or [ ],
        }:
        lib.evalModules (
          evaluation
          // {
            modules = evaluation.modules ++ modules;
            specialArgs = evaluation.specialArgs or { } // specialArgs;
            inherit prefix;
          }
        );
      moduleType = types.submoduleWith { inherit modules specialArgs class; };
    in
    {
      _type = "configuration";
      options = checked tree.options;
      config = checked (removeAttrs merged [ "_module" ]);
      _module = declared._module // {
        inherit (evaluation) modules;
      };
      inherit extendModules class;
      type = moduleType;
    };
}
