using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Verify.Tests.House;

/// <summary>The repository as the tidy tests see it: projects and their sources.</summary>
internal static class Sources
{
    /// <summary>The top-level folders, leftmost first: an arrow may only point to the left.</summary>
    public static IReadOnlyList<string> Floors { get; } = ["reference-broker", "chaos", "properties", "benchmarks", "reports"];

    public static string Root { get; } = FindRoot();

    /// <summary>Every project, by name.</summary>
    public static IReadOnlyDictionary<string, Project> Projects { get; } = Floors
        .Select(floor => Path.Combine(Root, floor)).Where(Directory.Exists)
        .SelectMany(floor => Directory.EnumerateFiles(floor, "*.csproj", SearchOption.AllDirectories))
        .Select(Project.Read).ToDictionary(project => project.Name, StringComparer.Ordinal);

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var folder = Path.GetDirectoryName(here)!;
        while (!File.Exists(Path.Combine(folder, "Directory.Packages.props"))) folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("the repository's root");
        return folder;
    }
}

/// <summary>One project file and what lies beside it.</summary>
/// <param name="Floor">The top-level folder it is in.</param>
/// <param name="References">Names of the projects it refers to.</param>
internal sealed record Project(string Name, string Folder, string Floor, IReadOnlyList<string> References)
{
    public bool IsTest => Name.EndsWith(".Tests", StringComparison.Ordinal) || Name.EndsWith(".Properties", StringComparison.Ordinal);

    public IReadOnlyList<Source> Files => files.Value;

    private readonly Lazy<IReadOnlyList<Source>> files = new(() =>
    [
        .. Directory.EnumerateFiles(Folder, "*.cs", SearchOption.AllDirectories)
            .Where(static path => !path.Split(Path.DirectorySeparatorChar).Any(static part => part is "obj" or "bin"))
            .Order(StringComparer.Ordinal)
            .Select(Source.Read),
    ]);

    public static Project Read(string path)
    {
        var references = XDocument.Load(path).Descendants("ProjectReference")
            .Select(static reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))).ToList();
        var floor = Path.GetRelativePath(Sources.Root, path).Split(Path.DirectorySeparatorChar)[0];
        return new Project(Path.GetFileNameWithoutExtension(path), Path.GetDirectoryName(path)!, floor, references);
    }
}

/// <summary>One source file.</summary>
internal sealed record Source(string Path, string Text)
{
    private readonly Lazy<SyntaxNode> syntax = new(() => CSharpSyntaxTree.ParseText(Text, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot());

    public SyntaxNode Syntax => syntax.Value;

    /// <summary>Relative to the root, with slashes.</summary>
    public string Place => System.IO.Path.GetRelativePath(Sources.Root, Path).Replace('\\', '/');

    public static Source Read(string path) => new(path, File.ReadAllText(path));

    public string At(SyntaxNode node) => $"{Place}:{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}";
}
