using System.Globalization;

namespace Carrel.Machines.Cgroups;

/// <summary>The kernel's lists of CPUs: <c>0-3,6</c>.</summary>
internal static class CpuList
{
    internal static IReadOnlyList<int> Parse(string list) =>
    [
        .. list.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(range =>
        {
            var ends = range.Split('-');
            var first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            return Enumerable.Range(first, int.Parse(ends[^1], CultureInfo.InvariantCulture) - first + 1);
        }),
    ];

    internal static string Format(IEnumerable<int> cpus) => string.Join(',', cpus.Order());
}
