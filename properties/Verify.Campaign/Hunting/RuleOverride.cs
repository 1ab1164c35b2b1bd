using System.Reflection;
using System.Reflection.Emit;

namespace Verify.Campaign.Hunting;

/// <summary>Generates overrides of rules.</summary>
internal static class RuleOverride
{
    public static readonly ModuleBuilder Module = AssemblyBuilder
        .DefineDynamicAssembly(new AssemblyName("Verify.Mechanical"), AssemblyBuilderAccess.Run).DefineDynamicModule("Verify.Mechanical");

    /// <summary>Overrides a rule in a subclass of its type: asks the rule itself first, and returns what is loaded given its answer.</summary>
    /// <param name="before">What to do before.</param>
    public static void Emit(TypeBuilder type, MethodInfo rule, Action<ILGenerator> before, Action<ILGenerator, LocalBuilder> load)
    {
        ParameterInfo[] parameters = rule.GetParameters();
        var method = type.DefineMethod(rule.Name, MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig, rule.ReturnType, [.. parameters.Select(static parameter => parameter.ParameterType)]);
        var il = method.GetILGenerator();
        before(il);
        var right = il.DeclareLocal(rule.ReturnType);
        for (var i = 0; i <= parameters.Length; i++) il.Emit(OpCodes.Ldarg, i);
        il.Emit(OpCodes.Call, rule);
        il.Emit(OpCodes.Stloc, right);
        load(il, right);
        il.Emit(OpCodes.Ret);
    }
}
