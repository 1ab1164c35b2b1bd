using System.Reflection;
using System.Runtime.InteropServices;
using Verify.Campaign.Results;

namespace Verify.Cli.Campaigns;

/// <summary>Which build this is.</summary>
internal static class ThisTool
{
    public static ToolInfo Info { get; } = Read();

    /// <summary>Program and first argument by which it can start itself again.</summary>
    public static IReadOnlyList<string> Program { get; } = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) is "mqverify" ? [path] : ["dotnet", Path.Combine(AppContext.BaseDirectory, "mqverify.dll")];

    private static ToolInfo Read()
    {
        var full = typeof(ThisTool).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        var cut = full.IndexOf('+');
        return cut < 0 ? new ToolInfo(full, "unknown") : new ToolInfo(full[..cut], full[(cut + 1)..]);
    }
}

/// <summary>What it runs on.</summary>
internal static class ThisMachine
{
    public static MachineInfo Info { get; } =
        new(RuntimeInformation.OSDescription, Cpu(), Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, RuntimeInformation.FrameworkDescription);

    private static string Cpu()
    {
        const string Path = "/proc/cpuinfo";
        if (!File.Exists(Path)) return RuntimeInformation.ProcessArchitecture.ToString();
        var name = File.ReadLines(Path).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return name is null ? RuntimeInformation.ProcessArchitecture.ToString() : name[(name.IndexOf(':') + 1)..].Trim();
    }
}
