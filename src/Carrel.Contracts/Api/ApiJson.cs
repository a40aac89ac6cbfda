using System.Text.Json;
using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>How the API's records are written: snake_case, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true, Converters = [typeof(UtcTimestampConverter)])]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(WorkspaceAnswer))]
[JsonSerializable(typeof(WorkspaceList))]
[JsonSerializable(typeof(CreateWorkspaceRequest))]
[JsonSerializable(typeof(SuccessAnswer))]
[JsonSerializable(typeof(LogInRequest))]
[JsonSerializable(typeof(ComputerAnswer))]
[JsonSerializable(typeof(CreateComputerRequest))]
[JsonSerializable(typeof(LifecycleAnswer))]
[JsonSerializable(typeof(OperationAnswer))]
[JsonSerializable(typeof(VncPasswordAnswer))]
[JsonSerializable(typeof(ClickRequest))]
[JsonSerializable(typeof(PointRequest))]
[JsonSerializable(typeof(DragRequest))]
[JsonSerializable(typeof(TypeRequest))]
[JsonSerializable(typeof(KeyRequest))]
[JsonSerializable(typeof(ScrollRequest))]
[JsonSerializable(typeof(WaitRequest))]
[JsonSerializable(typeof(BashRequest))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ActionAnswer))]
[JsonSerializable(typeof(BashAnswer))]
[JsonSerializable(typeof(ExecAnswer))]
[JsonSerializable(typeof(ScreenshotAnswer))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(FileList))]
[JsonSerializable(typeof(ExportRequest))]
[JsonSerializable(typeof(DesktopExportRequest))]
[JsonSerializable(typeof(ExportAnswer))]
[JsonSerializable(typeof(DownloadAnswer))]
[JsonSerializable(typeof(FolderAnswer))]
[JsonSerializable(typeof(FileActionRequest))]
[JsonSerializable(typeof(ServerHealth))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class ApiJson : JsonSerializerContext;
