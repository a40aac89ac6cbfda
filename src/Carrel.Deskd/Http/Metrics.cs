using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Carrel.Deskd.Http;

/// <summary>Counters in Prometheus' text format.</summary>
internal sealed class Metrics(TimeProvider time)
{
    private readonly ConcurrentDictionary<int, long> _byStatus = new();
    private readonly long _started = time.GetTimestamp();

    public void Count(int status) => _byStatus.AddOrUpdate(status, 1, (_, count) => count + 1);

    public Task<Reply> WriteAsync(Exchange exchange)
    {
        var text = new StringBuilder();
        text.Append("# HELP deskd_requests_total Requests answered, by status.\n# TYPE deskd_requests_total counter\n");
        foreach (var (status, count) in _byStatus.OrderBy(entry => entry.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"deskd_requests_total{{status=\"{status}\"}} {count}\n");
        }

        text.Append("# HELP deskd_uptime_seconds Time since deskd started.\n# TYPE deskd_uptime_seconds gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"deskd_uptime_seconds {time.GetElapsedTime(_started).TotalSeconds:F3}\n");
        text.Append("# HELP process_resident_memory_bytes Resident memory.\n# TYPE process_resident_memory_bytes gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"process_resident_memory_bytes {Environment.WorkingSet}\n");
        return Task.FromResult(Reply.Text("text/plain; version=0.0.4", text.ToString()));
    }
}
