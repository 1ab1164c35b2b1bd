using System.Reflection;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Cli.Options;

/// <summary>Mutants of an assembly that the user names.</summary>
internal static class OutsideMutants
{
    /// <exception cref="BadInputException">No such file, no assembly, or no mutant in it.</exception>
    public static IReadOnlyList<Mutant> Of(string path)
    {
        if (!File.Exists(path)) throw new BadInputException($"--mutants '{path}': no such file");
        try
        {
            var found = MutantCatalogue.Of(Assembly.LoadFrom(Path.GetFullPath(path)));
            return found.Count > 0 ? found : throw new BadInputException($"--mutants '{path}': no public class in it implements {nameof(IMutant)}");
        }
        catch (Exception refused) when (refused is BadImageFormatException or FileLoadException or ReflectionTypeLoadException)
        {
            throw new BadInputException($"--mutants '{path}': not an assembly that can be loaded here: {refused.Message}");
        }
    }
}
