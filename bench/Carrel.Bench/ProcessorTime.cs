using System.Globalization;

namespace Carrel.Bench;

/// <summary>Milliseconds that processes have run, to the nanosecond, where what ended meanwhile is of no account.</summary>
internal static class ProcessorTime
{
    internal static double OfMachine(string instanceId) => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsAsciiDigit(folder[6]) && ProportionalSetSize.IsMember(folder, instanceId))
        .Sum(OfFolder);

    internal static double OfProcess(int pid) => OfFolder($"/proc/{pid}");

    private static double OfFolder(string folder)
    {
        try
        {
            return Directory.EnumerateDirectories($"{folder}/task")
                .Sum(task => long.Parse(File.ReadAllText($"{task}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture)) / 1e6;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
