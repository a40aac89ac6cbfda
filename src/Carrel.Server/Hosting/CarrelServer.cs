using System.Text.Json;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Audit;
using Carrel.Server.Clipboard;
using Carrel.Server.Clones;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Events;
using Carrel.Server.Files;
using Carrel.Server.Idempotency;
using Carrel.Server.LivePage;
using Carrel.Server.Metrics;
using Carrel.Server.Plans;
using Carrel.Server.Ports;
using Carrel.Server.Realtime;
using Carrel.Server.Recordings;
using Carrel.Server.Screens;
using Carrel.Server.Screenshots;
using Carrel.Server.Snapshots;
using Carrel.Server.Sizes;
using Carrel.Server.State;
using Carrel.Server.Streaming;
using Carrel.Server.Waking;
using Carrel.Server.Workspaces;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace Carrel.Server.Hosting;

/// <summary>Puts the server together. The one thing it does not bring is an <see cref="Carrel.Machines.IMachineHost"/>.</summary>
internal static class CarrelServer
{
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(20);

    public static WebApplication Build(Settings settings, DataFolder folder, Action<IServiceCollection> machines)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "carrel-server" });
        builder.Configuration.Sources.Clear(); // Settings come from SettingSources alone.
        AddLogging(builder.Logging, settings.LogLevel);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ResponseHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1; // As a port inside wrote it.
            kestrel.Limits.MaxRequestLineSize = 16 * 1024; // A path of 4 KB inside a computer, percent-encoded.
            kestrel.Limits.MaxRequestBodySize = settings.MaxBodyBytes;
            Listening.Configure(kestrel, settings.Listen);
        });
        AddServices(builder.Services, settings, folder);
        machines(builder.Services);
        var app = builder.Build();
        Map(app);
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging, LogLevel level)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        logging.SetMinimumLevel(level);
        logging.AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning);
    }

    internal static void AddServices(IServiceCollection services, Settings settings, DataFolder folder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IIdFactory, IdFactory>();
        services.AddSingleton(settings).AddSingleton(folder);
        services.AddSingleton(new SecretBox(folder.RootSecret()));
        services.AddSingleton(_ => Database.At(settings.Database)).AddSingleton<SureWrites>().AddSingleton<Guard>();
        services.AddSingleton<PublicAddress>().AddSingleton<Readiness>().AddSingleton<ReadyCheck>().AddSingleton<ServerStart>();
        services.AddSingleton<ErrorPages>();
        services.AddAccounts();
        services.AddPlans();
        services.AddAudit();
        services.AddSingleton<WorkspaceStore>().AddSingleton<WorkspaceDeletion>().AddSingleton<WorkspaceOrders>().AddSingleton<WorkspaceViews>().AddSingleton<WorkspaceEndpoints>();
        services.AddSingleton<ComputerRegistry>().AddSingleton<ComputerStore>().AddSingleton<ComputerLookup>().AddSingleton<ComputerViews>();
        services.AddSingleton<BringUp>().AddSingleton<Lifecycle>().AddSingleton<MachineWatch>().AddSingleton<Recovery>();
        services.AddSingleton<Resizing>().AddSingleton<ResizeEndpoint>();
        services.AddSingleton<ComputerEndpoints>().AddSingleton<LifecycleEndpoints>().AddSingleton<ComputerChangeEndpoints>().AddSingleton<OperationViews>();
        services.AddSingleton<Forwarder>().AddSingleton<PictureAnswers>().AddSingleton<ScreenshotStore>().AddSingleton<SignedLinks>();
        services.AddSingleton<SocketAccess>().AddSingleton<SocketHost>().AddSingleton<VncSocket>().AddSingleton<DeskdSocket>().AddSingleton<WebFiles>();
        services.AddSingleton<StreamConnectionStore>().AddSingleton<StreamConnectionEndpoints>().AddSingleton<StreamEndpoints>();
        services.AddSingleton<RecordingStore>().AddSingleton<RecordingFiles>().AddSingleton<RecordingDesk>().AddSingleton<RecordingEndpoints>();
        services.AddHttpForwarder();
        services.AddSingleton<PortAddresses>().AddSingleton<PortClaims>().AddSingleton<PortAccess>().AddSingleton<PortForwarder>().AddSingleton<PortHosts>();
        services.AddSingleton<NewRecords>();
        services.AddClones();
        services.AddSnapshots();
        services.AddSingleton<UseTracking>().AddSingleton<MachineAccess>().AddSingleton<AutoStop>().AddHostedService(provider => provider.GetRequiredService<AutoStop>());
        services.AddSingleton<IdempotencyStore>().AddSingleton<IdempotentRequests>();
        services.AddFiles();
        services.AddUsage();
        services.AddHostedService<Housekeeping>().AddHostedService<Shutdown>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownPatience);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        });
        services.AddCarrelOpenApi();
    }

    private static void Map(WebApplication app)
    {
        app.UseMiddleware<ErrorPages>();
        app.UseMiddleware<Readiness>();
        app.UseMiddleware<UseTracking>();
        app.UseMiddleware<PortHosts>();
        app.UseWebSockets();
        app.UseRouting();
        app.UseMiddleware<Auditing>();
        app.UseMiddleware<Authentication>();
        app.UseMiddleware<IdempotentRequests>();
        app.MapHealth();
        app.MapOpenApi("/openapi.json").WithMetadata(new Microsoft.AspNetCore.Routing.ExcludeFromDescriptionAttribute());
        var api = app.MapGroup("/api");
        api.MapAccounts();
        api.MapPlans();
        api.MapAudit();
        api.MapWorkspaces();
        api.MapComputers();
        api.MapClones();
        api.MapSnapshots();
        api.MapSizes();
        api.MapMetrics();
        api.MapComputerChanges();
        api.MapActions();
        api.MapScreens();
        app.MapPorts(api);
        api.MapEvents();
        app.MapClipboard(api);
        api.MapStreams();
        api.MapRecordings();
        app.MapProxy();
        app.MapScreenshotFiles();
        app.MapRecordingFiles();
        app.MapFiles();
        app.MapRealtime();
        app.MapLivePage();
    }
}
