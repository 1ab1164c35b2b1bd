using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Verify.Tests.House;

/// <summary>The house is as its plan says: arrows point to the left, doors are where they belong, names say what things are.</summary>
public sealed class RoomTests
{
    private const int MostLines = 500;

    /// <summary>What the rooms of the broker may see; tests may see anything on their floor.</summary>
    private static readonly Dictionary<string, string[]> BrokerRooms = new(StringComparer.Ordinal)
    {
        ["Broker.Protocol"] = [],
        ["Broker.Runtime"] = [],
        ["Broker.Core"] = ["Broker.Protocol", "Broker.Runtime"],
        ["Broker.Node"] = ["Broker.Protocol", "Broker.Runtime", "Broker.Core"],
        ["Broker.Hosting"] = ["Broker.Protocol", "Broker.Runtime", "Broker.Core", "Broker.Node"],
        ["Broker.Embedded"] = ["Broker.Protocol", "Broker.Runtime", "Broker.Core", "Broker.Node", "Broker.Hosting"],
        ["Conformance.Client"] = [],
    };

    private static readonly string[] RoomsWithHosts = ["Broker.Hosting", "Chaos.Simulation"];

    /// <summary>Words by which code opens a socket or a file or starts a process.</summary>
    private static readonly HashSet<string> WorldWords = new(StringComparer.Ordinal)
    {
        "Socket", "TcpClient", "TcpListener", "NetworkStream", "Dns", "HttpClient", "File", "FileStream", "FileInfo", "Directory", "DirectoryInfo", "StreamReader", "StreamWriter",
        "RandomAccess", "SafeFileHandle", "Process", "DllImport", "LibraryImport", "Console", "Environment", "Stopwatch",
    };

    private static readonly string[] EmptyWords = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Base", "Common"];

    [Fact]
    public void Arrows_between_the_floors_point_to_the_left_only()
    {
        foreach (var project in Sources.Projects.Values)
            foreach (var reference in project.References)
                Assert.True(
                    Floor(Sources.Projects[reference]) <= Floor(project), $"{project.Name} ({project.Floor}) refers to {reference} ({Sources.Projects[reference].Floor})");

        static int Floor(Project project) => Sources.Floors.ToList().IndexOf(project.Floor);
    }

    [Fact]
    public void Nothing_but_tests_refers_to_tests() =>
        Assert.All(Sources.Projects.Values.Where(project => !project.IsTest), project => Assert.DoesNotContain(project.References, reference => Sources.Projects[reference].IsTest));

    [Fact]
    public void The_rooms_of_the_broker_see_what_the_plan_allows()
    {
        foreach (var project in Sources.Projects.Values.Where(project => project is { Floor: "reference-broker", IsTest: false }))
        {
            Assert.True(BrokerRooms.TryGetValue(project.Name, out var allowed), $"{project.Name} is not in the plan");
            Assert.Subset(allowed!.ToHashSet(StringComparer.Ordinal), project.References.ToHashSet(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Histories_refer_to_nothing_and_checkers_to_histories_alone()
    {
        Assert.Empty(Sources.Projects["Verify.History"].References);
        Assert.Equal(["Verify.History"], Sources.Projects["Verify.Checkers"].References);
    }

    [Fact]
    public void Only_hosting_and_simulation_are_hosts()
    {
        var hosts = from project in Sources.Projects.Values
                    where !project.IsTest
                    from file in project.Files
                    from type in file.Syntax.DescendantNodes().OfType<TypeDeclarationSyntax>()
                    where type is not InterfaceDeclarationSyntax && type.BaseList?.Types.Any(parent => parent.Type.ToString() == "IHost") == true
                    select project.Name;
        Assert.Equal(RoomsWithHosts.Order(StringComparer.Ordinal), hosts.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Nothing_else_in_the_broker_opens_sockets_or_files()
    {
        var openings = from project in Sources.Projects.Values
                       where project.Floor == "reference-broker" && !project.IsTest && project.Name is not ("Broker.Hosting" or "Conformance.Client")
                       from file in project.Files
                       from name in file.Syntax.DescendantNodes().OfType<IdentifierNameSyntax>()
                       where WorldWords.Contains(name.Identifier.Text) && IsStatic(name)
                       select $"{file.At(name)} {name}";
        Assert.Empty(openings);

        // A type's name, or the left side of a call on one; a member of that name on an object of ours is no opening.
        static bool IsStatic(IdentifierNameSyntax name) => name.Parent is not MemberAccessExpressionSyntax access || access.Expression == name;
    }

    [Fact]
    public void No_public_name_is_an_empty_word()
    {
        var names = from project in Sources.Projects.Values
                    from file in project.Files
                    from type in file.Syntax.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
                    where EmptyWords.Any(word => type.Identifier.Text.EndsWith(word, StringComparison.Ordinal))
                    select $"{file.At(type)} {type.Identifier}";
        Assert.Empty(names);
    }

    [Fact]
    public void A_file_has_one_subject_and_ends_before_it_is_too_long() =>
        Assert.Empty(Sources.Projects.Values.SelectMany(project => project.Files).Where(file => file.Text.AsSpan().Count('\n') > MostLines).Select(file => file.Place));

    [Fact]
    public void Nothing_is_left_for_later()
    {
        string[] promises = ["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Exception", "for " + "now,", "for " + "now.", "for " + "now "];
        Assert.Empty(
            from file in Sources.Projects.Values.SelectMany(project => project.Files)
            from promise in promises
            where file.Text.Contains(promise, StringComparison.Ordinal)
            select $"{file.Place}: {promise}");
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Sources.Root, "Verify.sln"));
        Assert.All(Sources.Projects.Keys, name => Assert.Contains($"\"{name}\"", solution, StringComparison.Ordinal));
    }
}
